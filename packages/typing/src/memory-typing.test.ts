import { describe, expect, it } from '@jest/globals';
import { createMemoryTyping } from './index.ts';
import { typingContract } from './typing.contract.ts';
import { createTypists } from './memory-typing.ts';

typingContract('in memory', createMemoryTyping);

describe('memory typing', () => {
  it('forgets the agent with the oldest start when it is full', async () => {
    let nowMs = 1_900_000_000_000;
    const typing = createMemoryTyping({ maxTypers: 2, clock: () => (nowMs += 1) });
    await typing.start('c', 'a');
    await typing.start('c', 'b');
    await typing.start('c', 'a');
    await typing.start('c', 'x');
    expect(await typing.list('c')).toEqual(['a', 'x']);
  });

  it('keeps nothing of agents that stopped without a stop event', () => {
    const typists = createTypists(10_000, 100);
    for (let nowMs = 0; nowMs < 1_000_000; nowMs += 1000) {
      typists.start({ channelId: `c${nowMs}`, agentId: `a${nowMs}`, threadId: null }, nowMs);
      expect(typists.size).toBeLessThanOrEqual(10);
    }
  });

  it('refuses invalid options', () => {
    for (const options of [{ ttlMs: 0 }, { maxTypers: 1.5 }]) {
      expect(() => createMemoryTyping(options)).toThrow(
        expect.objectContaining({ name: 'TypingError', code: 'invalid_options' }),
      );
    }
  });
});
