import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { TypingOptions } from './options.ts';
import type { Typing } from './typing.ts';

export function typingContract(
  name: string,
  make: (options: Required<Pick<TypingOptions, 'clock'>>) => Typing,
): void {
  describe(`${name}: typing`, () => {
    let nowMs: number;
    let typing: Typing;
    beforeEach(() => {
      nowMs = 1_900_000_000_000;
      typing = make({ clock: () => nowMs });
    });
    afterEach(() => typing.close());

    it('Typing indicators (start → update → stop): a refresh is not a change, a stop is one change', async () => {
      expect(await typing.start('c', 'a')).toBe(true);
      expect(await typing.list('c')).toEqual(['a']);
      for (let refresh = 0; refresh < 5; refresh += 1) {
        nowMs += 3000;
        expect(await typing.start('c', 'a')).toBe(false);
      }
      expect(await typing.list('c')).toEqual(['a']);
      expect(await typing.stop('c', 'a')).toBe(true);
      expect(await typing.list('c')).toEqual([]);
      expect(await typing.stop('c', 'a')).toBe(false);
      expect(await typing.start('c', 'a')).toBe(true);
    });

    it('TTL expiry (typing): counts as typing for ten seconds after the last start, and not a millisecond longer', async () => {
      await typing.start('c', 'a');
      nowMs += 9999;
      expect(await typing.list('c')).toEqual(['a']);
      expect(await typing.remainingMs([{ channelId: 'c', agentId: 'a' }])).toEqual([1]);
      nowMs += 1;
      expect(await typing.list('c')).toEqual([]);
      expect(await typing.remainingMs([{ channelId: 'c', agentId: 'a' }])).toEqual([0]);
      expect(await typing.lastStartMs('c', 'a')).toBeNull();
      expect(await typing.stop('c', 'a')).toBe(false);
    });

    it('counts a start after expiry as a change', async () => {
      await typing.start('c', 'a');
      nowMs += 10_000;
      expect(await typing.start('c', 'a')).toBe(true);
    });

    it('expires each agent by its own time, not by the latest start in the channel', async () => {
      await typing.start('c', 'a');
      nowMs += 6000;
      await typing.start('c', 'b');
      nowMs += 4000;
      expect(await typing.list('c')).toEqual(['b']);
      nowMs += 5999;
      expect(await typing.list('c')).toEqual(['b']);
      nowMs += 1;
      expect(await typing.list('c')).toEqual([]);
    });

    it('lists the latest start last, and keeps channels apart', async () => {
      for (const agentId of ['b', 'c', 'a']) {
        await typing.start('c1', agentId);
        nowMs += 1;
      }
      await typing.start('c1', 'b');
      await typing.start('c2', 'd');
      expect(await typing.list('c1')).toEqual(['c', 'a', 'b']);
      expect(await typing.list('c2')).toEqual(['d']);
      expect(await typing.stop('c2', 'a')).toBe(false);
      expect(await typing.list('c3')).toEqual([]);
    });

    it('knows the last start and the remaining time of each agent', async () => {
      const startMs = nowMs;
      await typing.start('c1', 'a');
      nowMs += 1000;
      await typing.start('c2', 'a');
      nowMs += 1000;
      expect(await typing.lastStartMs('c1', 'a')).toBe(startMs);
      expect(await typing.lastStartMs('c2', 'a')).toBe(startMs + 1000);
      expect(await typing.lastStartMs('c1', 'nobody')).toBeNull();
      const remaining = await typing.remainingMs([
        { channelId: 'c1', agentId: 'a' },
        { channelId: 'c2', agentId: 'a' },
        { channelId: 'c1', agentId: 'nobody' },
        { channelId: 'empty', agentId: 'a' },
      ]);
      expect(remaining).toEqual([8000, 9000, 0, 0]);
      expect(await typing.remainingMs([])).toEqual([]);
    });

    it('reads the remaining times of hundreds of agents, in the given order', async () => {
      const typers = Array.from({ length: 450 }, (_, n) => ({
        channelId: `c${n % 2}`,
        agentId: `a${n}`,
      }));
      for (const [n, { channelId, agentId }] of typers.entries()) {
        if (n % 3 === 0) await typing.start(channelId, agentId);
      }
      nowMs += 1000;
      expect(await typing.remainingMs(typers)).toEqual(
        typers.map((_, n) => (n % 3 === 0 ? 9000 : 0)),
      );
    });

    it('Typing by thread: an agent starts and stops in a channel and in each of its threads by itself', async () => {
      expect(await typing.start('c', 'a')).toBe(true);
      nowMs += 1;
      expect(await typing.start('c', 'b', 't1')).toBe(true);
      nowMs += 1;
      expect(await typing.start('c', 'a', 't1')).toBe(true);
      nowMs += 1;
      expect(await typing.start('c', 'a', 't1')).toBe(false);
      expect(await typing.list('c')).toEqual(['b', 'a']);
      expect(await typing.list('c', null)).toEqual(['a']);
      expect(await typing.list('c', 't1')).toEqual(['b', 'a']);
      expect(await typing.list('c', 't2')).toEqual([]);
      expect(await typing.list('c2', 't1')).toEqual([]);

      const places = [null, 't1', 't2'].map((threadId) => ({
        channelId: 'c',
        agentId: 'a',
        threadId,
      }));
      expect(await typing.remainingMs(places)).toEqual([9997, 10_000, 0]);
      expect(await typing.lastStartMs('c', 'a', 't1')).toBe(nowMs);
      nowMs += 9997;
      expect(await typing.list('c', null)).toEqual([]);
      expect(await typing.list('c')).toEqual(['b', 'a']);

      expect(await typing.stop('c', 'a')).toBe(false);
      expect(await typing.stop('c', 'a', 't2')).toBe(false);
      expect(await typing.list('c', 't1')).toEqual(['b', 'a']);
      expect(await typing.stop('c', 'a', 't1')).toBe(true);
      expect(await typing.list('c')).toEqual(['b']);
    });

    it('lists an agent that types in many threads once, by its latest start', async () => {
      for (let n = 0; n < 50; n += 1) await typing.start('c', 'a', `t${n}`);
      nowMs += 1;
      await typing.start('c', 'b');
      expect(await typing.list('c')).toEqual(['a', 'b']);
      nowMs += 1;
      await typing.start('c', 'a', 't7');
      expect(await typing.list('c')).toEqual(['b', 'a']);
    });

    it('refuses bad ids, and every call after close', async () => {
      const badId = { name: 'KeySchemaError', code: 'invalid_id' };
      await expect(typing.start('c:d', 'a')).rejects.toMatchObject(badId);
      await expect(typing.start('c', '')).rejects.toMatchObject(badId);
      await expect(typing.stop('c', 'a:b')).rejects.toMatchObject(badId);
      await expect(typing.list('c:d')).rejects.toMatchObject(badId);
      await expect(typing.start('c', 'a', 't:u')).rejects.toMatchObject(badId);
      await expect(typing.list('c', 't:u')).rejects.toMatchObject(badId);
      await expect(typing.lastStartMs('c', 'a:b')).rejects.toMatchObject(badId);
      const typers = [{ channelId: 'c:d', agentId: 'a' }];
      await expect(typing.remainingMs(typers)).rejects.toMatchObject(badId);
      await typing.close();
      const closed = { name: 'TypingError', code: 'closed' };
      await expect(typing.start('c', 'a')).rejects.toMatchObject(closed);
      await expect(typing.list('c')).rejects.toMatchObject(closed);
      await expect(typing.remainingMs([])).rejects.toMatchObject(closed);
    });
  });
}
