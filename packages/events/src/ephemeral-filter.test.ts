import { describe, expect, it } from '@jest/globals';
import { createEphemeralFilter } from './ephemeral-filter.ts';
import { createManualClock } from './testing/manual-clock.ts';
import { sampleTyping } from './testing/sample-events.ts';

describe('an ephemeral filter', () => {
  it('accepts each id once', () => {
    const clock = createManualClock();
    const filter = createEphemeralFilter({ clock: clock.now });
    const first = sampleTyping({ timestamp: clock.now() });
    const second = sampleTyping({ timestamp: clock.now() });
    expect([first, second, first, second].map((event) => filter.accept(event))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('accepts an event that is ten seconds old and none that is older', () => {
    const clock = createManualClock();
    const filter = createEphemeralFilter({ clock: clock.now });
    expect(filter.accept(sampleTyping({ timestamp: clock.now() - 10_000 }))).toBe(true);
    expect(filter.accept(sampleTyping({ timestamp: clock.now() - 10_001 }))).toBe(false);
    expect(filter.accept(sampleTyping({ timestamp: clock.now() + 5_000 }))).toBe(true);
  });

  it.each([0, 1, 14, 29, 30, 45])(
    'knows an id that comes after %i s for at least 30 s, so that it is too old when it is forgotten',
    (seconds) => {
      const clock = createManualClock();
      const filter = createEphemeralFilter({ clock: clock.now });
      const others = (count: number) => {
        for (let second = 0; second < count; second += 1) {
          filter.accept(sampleTyping({ timestamp: clock.now() }));
          clock.advance(1_000);
        }
      };
      others(seconds);
      const repeated = sampleTyping({ timestamp: clock.now() + 60_000 });
      expect(filter.accept(repeated)).toBe(true);
      others(30);
      expect(filter.accept(repeated)).toBe(false);
    },
  );

  it('forgets ids that are too old to matter', () => {
    const clock = createManualClock();
    const filter = createEphemeralFilter({ clock: clock.now });
    for (let event = 0; event < 100; event += 1)
      filter.accept(sampleTyping({ timestamp: clock.now() }));
    expect(filter.size).toBe(100);
    clock.advance(60_000);
    filter.accept(sampleTyping({ timestamp: clock.now() }));
    expect(filter.size).toBe(1);
  });

  it('remembers at most maxIds ids, and always the latest half of them', () => {
    const clock = createManualClock();
    const filter = createEphemeralFilter({ clock: clock.now, maxIds: 10 });
    const events = Array.from({ length: 98 }, () => sampleTyping({ timestamp: clock.now() }));
    for (const event of events) {
      expect(filter.accept(event)).toBe(true);
      expect(filter.size).toBeLessThanOrEqual(10);
    }
    expect(events.slice(-5).map((event) => filter.accept(event))).toEqual(Array(5).fill(false));
  });

  it.each([{ maxAgeMs: 0 }, { windowMs: 0.5 }, { maxIds: Number.NaN }])('refuses %o', (options) => {
    expect(() => createEphemeralFilter(options)).toThrow(
      expect.objectContaining({ code: 'invalid_options' }),
    );
  });
});
