import { isContentTooLarge, limits, methods } from '@openclaw/protocol';
import { describe, expect, it } from '@jest/globals';
import { castOf, roles, type Role } from '../cast.ts';
import { places, type Place } from '../places.ts';
import { createRandomness } from '../randomness.ts';
import { chooseWords } from '../words.ts';
import { allScenes } from './all-scenes.ts';

const seeds = Array.from({ length: 40 }, (_, seed) => seed);

describe('every scene, in any words', () => {
  it.each(allScenes.map((scene, index) => [`${scene.place} ${index}`, scene] as const))(
    '%s is played by those in its channel, and follows from what was said before',
    (_name, scene) => {
      const place: Place = places[scene.place];
      for (const seed of seeds) {
        const random = createRandomness(seed);
        const authors = new Map<string, Role>();
        for (const beat of scene.beats(chooseWords(random), random)) {
          expect(roles).toContain(beat.by);
          if (place.roles !== null) expect(place.roles).toContain(beat.by);
          if (beat.kind === 'say') {
            if (beat.under !== undefined) expect([...authors.keys()]).toContain(beat.under);
            if (beat.as !== undefined) authors.set(beat.as, beat.by);
            expect(isContentTooLarge(beat.text)).toBe(false);
          }
          if (beat.kind === 'react') expect([...authors.keys()]).toContain(beat.to);
          if (beat.kind === 'thread') expect([...authors.keys()]).toContain(beat.message);
          if (beat.kind === 'edit') expect(authors.get(beat.message)).toBe(beat.by);
          if (beat.kind === 'emit') {
            const { name, payload } = beat;
            methods['collaboration.emit'].params.parse({ channelId: 'x', name, payload });
          }
          const told = JSON.stringify(beat);
          expect(told).not.toMatch(/undefined|NaN|\[object/);
          for (const [, name = ''] of told.matchAll(/@([a-z-]*[a-z])/g)) {
            expect(roles).toContain(name);
            if (place.roles !== null) expect(place.roles).toContain(name);
          }
        }
      }
    },
  );
});

describe('the cast', () => {
  it('has as many agents as are asked for, each with a name of its own and something to do', () => {
    const cast = castOf(111);
    expect(new Set(cast.map(({ agentId }) => agentId)).size).toBe(111);
    for (const { avatar, statuses, displayName } of cast) {
      expect(avatar.length).toBeLessThanOrEqual(limits.avatarChars);
      expect(displayName).not.toBe('');
      expect(statuses.length).toBeGreaterThan(0);
    }
  });
});

describe('the same seed', () => {
  it('plays the same', () => {
    const play = (seed: number) => {
      const random = createRandomness(seed);
      return JSON.stringify(allScenes.map((scene) => scene.beats(chooseWords(random), random)));
    };
    expect(play(5)).toBe(play(5));
    expect(play(5)).not.toBe(play(6));
  });
});
