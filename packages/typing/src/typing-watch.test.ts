import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createMemoryTyping, createTypingWatch, type Typer } from './index.ts';

describe('typing watch', () => {
  let told: { who: string; atMs: number }[];
  let startMs: number;
  beforeEach(() => {
    jest.useFakeTimers();
    told = [];
    startMs = performance.now();
  });
  afterEach(() => void jest.useRealTimers());

  const onExpired = (channelId: string, agentId: string) => {
    told.push({ who: `${agentId} in ${channelId}`, atMs: performance.now() - startMs });
  };
  const names = () => told.map(({ who }) => who);

  it('reports an agent once, ten seconds after its last start, within ±1 s', async () => {
    const typing = createMemoryTyping();
    const watch = createTypingWatch({ typing, onExpired });
    await typing.start('c', 'a');
    watch.started('c', 'a');
    await jest.advanceTimersByTimeAsync(9900);
    expect(told).toEqual([]);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(names()).toEqual(['a in c']);
    expect(told[0]!.atMs).toBeGreaterThanOrEqual(10_000);
    expect(told[0]!.atMs).toBeLessThanOrEqual(10_500);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('keeps waiting while the agent types on another hub, although it sees no refresh', async () => {
    const typing = createMemoryTyping();
    const watch = createTypingWatch({ typing, onExpired });
    await typing.start('c', 'a');
    watch.started('c', 'a');
    for (let refresh = 0; refresh < 8; refresh += 1) {
      await jest.advanceTimersByTimeAsync(7000);
      await typing.start('c', 'a');
    }
    expect(told).toEqual([]);
    await jest.advanceTimersByTimeAsync(9700);
    expect(told).toEqual([]);
    await jest.advanceTimersByTimeAsync(800);
    expect(names()).toEqual(['a in c']);
    watch.close();
  });

  it('knows who types where, until a stop or the report', async () => {
    const typing = createMemoryTyping();
    const watch = createTypingWatch({ typing, onExpired });
    watch.started('c', 'a');
    watch.started('c', 'a', 't');
    expect(watch.has('c', 'a') && watch.has('c', 'a', 't')).toBe(true);
    expect(watch.has('c', 'b') || watch.has('c2', 'a') || watch.has('c', 'a', 't2')).toBe(false);
    watch.stopped('c', 'a', 't');
    expect([watch.has('c', 'a', 't'), watch.has('c', 'a')]).toEqual([false, true]);
    await jest.advanceTimersByTimeAsync(11_000);
    expect([watch.has('c', 'a'), names()]).toEqual([false, ['a in c']]);
  });

  it('waits again from each refresh that it sees', async () => {
    const asked: Typer[] = [];
    const typing = {
      remainingMs: (typers: readonly Typer[]) => (asked.push(...typers), Promise.resolve([0])),
    };
    const watch = createTypingWatch({ typing, onExpired });
    for (let refresh = 0; refresh < 5; refresh += 1) {
      watch.started('c', 'a');
      await jest.advanceTimersByTimeAsync(9000);
    }
    expect(asked).toEqual([]);
    await jest.advanceTimersByTimeAsync(1500);
    expect(names()).toEqual(['a in c']);
    watch.close();
  });

  it('reports nothing after a stop, and again after another start', async () => {
    const watch = createTypingWatch({ typing: createMemoryTyping(), onExpired });
    watch.started('c', 'a');
    watch.stopped('c', 'a');
    expect(jest.getTimerCount()).toBe(0);
    watch.started('c', 'b');
    await jest.advanceTimersByTimeAsync(11_000);
    expect(names()).toEqual(['b in c']);
    watch.started('c', 'a');
    await jest.advanceTimersByTimeAsync(11_000);
    expect(names()).toEqual(['b in c', 'a in c']);
  });

  it('checks all agents that are due in one call', async () => {
    const calls: number[] = [];
    const typing = {
      remainingMs: (typers: readonly Typer[]) => (
        calls.push(typers.length),
        Promise.resolve(typers.map(() => 0))
      ),
    };
    const watch = createTypingWatch({ typing, onExpired });
    for (let n = 0; n < 500; n += 1) watch.started(`c${n % 5}`, `a${n}`);
    await jest.advanceTimersByTimeAsync(11_000);
    expect(calls).toEqual([500]);
    expect(told).toHaveLength(500);
    watch.close();
  });

  it('watches an agent in each thread by itself', async () => {
    const expired: unknown[] = [];
    const watch = createTypingWatch({
      typing: createMemoryTyping(),
      onExpired: (...typer) => expired.push(typer),
    });
    watch.started('c', 'a');
    watch.started('c', 'a', 't1');
    watch.started('c', 'a', 't2');
    watch.stopped('c', 'a', 't1');
    await jest.advanceTimersByTimeAsync(11_000);
    expect(expired).toEqual([
      ['c', 'a', null],
      ['c', 'a', 't2'],
    ]);
  });

  it('ignores the answer to a check when a start or stop came later', async () => {
    let answer: (remaining: number[]) => void = () => {};
    const typing = {
      remainingMs: () => new Promise<number[]>((resolve) => (answer = resolve)),
    };
    const watch = createTypingWatch({ typing, onExpired });
    watch.started('c', 'a');
    watch.started('c', 'b');
    await jest.advanceTimersByTimeAsync(10_500);
    watch.started('c', 'a');
    watch.stopped('c', 'b');
    answer([0, 0]);
    await jest.advanceTimersByTimeAsync(0);
    expect(told).toEqual([]);
    expect(watch.size).toBe(1);
    watch.close();
  });

  it('reports the agent when Redis does not answer, because an indicator that stays is worse than one that flickers', async () => {
    const errors: unknown[] = [];
    const away = new Error('Redis away');
    const watch = createTypingWatch({
      typing: { remainingMs: () => Promise.reject(away) },
      onExpired,
      onError: (error) => errors.push(error),
    });
    watch.started('c', 'a');
    await jest.advanceTimersByTimeAsync(11_000);
    expect(names()).toEqual(['a in c']);
    expect(errors).toEqual([away]);
    watch.close();
  });

  it('continues when a listener throws', async () => {
    const errors: unknown[] = [];
    const watch = createTypingWatch({
      typing: createMemoryTyping(),
      onExpired: (channelId, agentId) => {
        onExpired(channelId, agentId);
        throw new Error('a bug of the app');
      },
      onError: (error) => errors.push(error),
    });
    watch.started('c', 'a');
    watch.started('c', 'b');
    await jest.advanceTimersByTimeAsync(11_000);
    expect(names()).toEqual(['a in c', 'b in c']);
    expect(errors).toHaveLength(2);
    watch.close();
  });

  it('reports the oldest agent when it is full, so that no indicator sticks', () => {
    const watch = createTypingWatch({ typing: createMemoryTyping(), onExpired }, { maxWatched: 2 });
    for (const agentId of ['a', 'b', 'x']) watch.started('c', agentId);
    expect(names()).toEqual(['a in c']);
    expect(watch.size).toBe(2);
    watch.close();
  });

  it('does nothing after close', async () => {
    const watch = createTypingWatch({ typing: createMemoryTyping(), onExpired });
    watch.started('c', 'a');
    watch.close();
    watch.started('c', 'b');
    expect(jest.getTimerCount()).toBe(0);
    await jest.advanceTimersByTimeAsync(20_000);
    expect(told).toEqual([]);
  });
});
