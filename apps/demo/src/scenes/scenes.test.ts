import { isContentTooLarge, isReservedName, limits, methods } from '@openclaw/protocol';
import { describe, expect, it } from '@jest/globals';
import { personasOf, roles, type Role } from '../personas.ts';
import { demoChannels, type DemoChannel } from '../channels.ts';
import { createRandomness } from '../randomness.ts';
import { chooseWords } from '../words.ts';
import { allScenes } from './all-scenes.ts';

const seeds = Array.from({ length: 40 }, (_, seed) => seed);

describe('every scene, with any words', () => {
  it.each(allScenes.map((scene, index) => [`${scene.channel} ${index}`, scene] as const))(
    '%s uses members of its channel and messages sent before',
    (_name, scene) => {
      const place: DemoChannel = demoChannels[scene.channel];
      for (const seed of seeds) {
        const random = createRandomness(seed);
        const authors = new Map<string, Role>();
        for (const beat of scene.steps(chooseWords(random), random)) {
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
            expect([name, isReservedName(name)]).toEqual([name, false]);
          }
          const text = JSON.stringify(beat);
          expect(text).not.toMatch(/undefined|NaN|\[object/);
          for (const [, name = ''] of text.matchAll(/@([a-z-]*[a-z])/g)) {
            expect(roles).toContain(name);
            if (place.roles !== null) expect(place.roles).toContain(name);
          }
        }
      }
    },
  );
});

describe('the personas', () => {
  it('are as many as requested, each with its own id and statuses', () => {
    const personas = personasOf(111);
    expect(new Set(personas.map(({ agentId }) => agentId)).size).toBe(111);
    for (const { avatar, statuses, displayName } of personas) {
      expect(avatar.length).toBeLessThanOrEqual(limits.avatarChars);
      expect(displayName).not.toBe('');
      expect(statuses.length).toBeGreaterThan(0);
    }
  });
});

describe('the same seed', () => {
  it('gives the same scenes', () => {
    const play = (seed: number) => {
      const random = createRandomness(seed);
      return JSON.stringify(allScenes.map((scene) => scene.steps(chooseWords(random), random)));
    };
    expect(play(5)).toBe(play(5));
    expect(play(5)).not.toBe(play(6));
  });
});
