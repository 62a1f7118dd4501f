import { afterEach, describe, expect, it } from '@jest/globals';
import { waitFor } from '@openclaw/test-support';
import { createGroupCommit, createPace, type GroupCommitOptions } from './group-commit.ts';

const bounds: GroupCommitOptions = {
  maxGroup: 10,
  maxGroupBytes: 1000,
  maxQueue: 20,
  maxQueueBytes: 10_000,
  timeoutMs: 2000,
  gapMs: 0,
  busyGapMs: 0,
  busyAppendsPerSecond: 1,
  maxGapMs: 0,
};

const cleanUp: (() => Promise<void>)[] = [];

function start(options: Partial<GroupCommitOptions> = {}, sizeOf = () => 1) {
  const groups: { commands: readonly string[]; commit(): void; fail(error: Error): void }[] = [];
  const seen: number[] = [];
  const queue = createGroupCommit<string, string>(
    {
      run: (commands) =>
        new Promise((resolve, reject) => {
          const commit = () => resolve(commands.map((command) => `${command} done`));
          groups.push({ commands, commit, fail: reject });
        }),
      sizeOf,
      refused: (reason) => reason,
      timedOut: () => 'timed out',
      failed: (error) => `failed: ${(error as Error).message}`,
      onGroup: (size) => seen.push(size),
    },
    { ...bounds, ...options },
  );
  const begun = (count: number) => waitFor(() => groups.length >= count);
  cleanUp.push(async () => {
    const closed = queue.close();
    const committing = setInterval(() => groups.forEach((group) => group.commit()), 5);
    await closed;
    clearInterval(committing);
  });
  return { queue, groups, seen, begun };
}

describe('group commit', () => {
  afterEach(async () => {
    for (const end of cleanUp.splice(0)) await end();
  });

  it('commits the commands of one turn together, and those that arrive meanwhile in the next group', async () => {
    const { queue, groups, seen, begun } = start();
    const first = ['a', 'b'].map((command) => queue.submit(command));
    await begun(1);
    const second = ['c', 'd', 'e'].map((command) => queue.submit(command));
    expect(queue.queueLength).toBe(3);
    groups[0]?.commit();
    expect(await Promise.all(first)).toEqual(['a done', 'b done']);
    await begun(2);
    expect(groups.map((group) => group.commands)).toEqual([
      ['a', 'b'],
      ['c', 'd', 'e'],
    ]);
    groups[1]?.commit();
    expect(await Promise.all(second)).toEqual(['c done', 'd done', 'e done']);
    expect(seen).toEqual([2, 3]);
    await queue.close();
  });

  it('bounds a group by its length and its size; a command over the size is committed alone', async () => {
    const { queue, groups, begun } = start({ maxGroup: 3 }, () => 400);
    const answers = ['a', 'b', 'c'].map((command) => queue.submit(command));
    for (let group = 1; group <= 2; group++) {
      await begun(group);
      groups[group - 1]?.commit();
    }
    await Promise.all(answers);
    expect(groups.map((group) => group.commands.length)).toEqual([2, 1]);

    const large = start({ maxGroup: 3 }, () => 5000);
    const answer = large.queue.submit('large');
    await large.begun(1);
    large.groups[0]?.commit();
    expect(await answer).toBe('large done');
  });

  it('refuses at once commands over the queue’s length or size', async () => {
    const { queue, groups, begun } = start({ maxQueue: 2 });
    const running = queue.submit('running');
    await begun(1);
    const waiting = [queue.submit('1'), queue.submit('2')];
    expect(await queue.submit('3')).toBe('queue full');
    groups[0]?.commit();
    await begun(2);
    groups[1]?.commit();
    expect(await Promise.all([running, ...waiting])).toEqual(['running done', '1 done', '2 done']);

    const heavy = start({ maxQueueBytes: 100 }, () => 60);
    void heavy.queue.submit('running');
    await heavy.begun(1);
    void heavy.queue.submit('1');
    expect(await heavy.queue.submit('2')).toBe('queue full');
  });

  it('answers a failed group with its failure, and continues', async () => {
    const { queue, groups, begun } = start();
    const answers = [queue.submit('a'), queue.submit('b')];
    await begun(1);
    groups[0]?.fail(new Error('no disk'));
    expect(await Promise.all(answers)).toEqual(['failed: no disk', 'failed: no disk']);
    const next = queue.submit('c');
    await begun(2);
    groups[1]?.commit();
    expect(await next).toBe('c done');
  });

  it('answers in time while a commit hangs: that group may have been committed, the waiting commands were not', async () => {
    const { queue, groups, begun } = start({ timeoutMs: 50 });
    const hanging = queue.submit('hanging');
    await begun(1);
    const waiting = queue.submit('waiting');
    expect(await Promise.all([hanging, waiting])).toEqual(['timed out', 'no answer']);
    // No commit is sent while one hangs. When it ends, the next one starts.
    const next = queue.submit('next');
    expect(groups).toHaveLength(1);
    groups[0]?.commit();
    await begun(2);
    groups[1]?.commit();
    expect(await next).toBe('next done');
    expect(groups[1]?.commands).toEqual(['next']);
  });

  it('answers waiting commands when it closes, and refuses later ones', async () => {
    const { queue, groups, begun } = start();
    const running = queue.submit('running');
    await begun(1);
    const waiting = queue.submit('waiting');
    const closed = queue.close();
    expect(await queue.submit('late')).toBe('closed');
    groups[0]?.commit();
    await begun(2);
    groups[1]?.commit();
    await closed;
    expect(await Promise.all([running, waiting])).toEqual(['running done', 'waiting done']);
  });
});

describe('the pace of groups', () => {
  it('lets groups begin 1 ms apart, and 4 ms apart above 3,000 commands a second', () => {
    let nowMs = 0;
    const pace = createPace({
      gapMs: 1,
      busyGapMs: 4,
      busyAppendsPerSecond: 3000,
      maxGapMs: 8,
      clock: () => nowMs,
    });
    expect(pace.waitMs()).toBe(0);
    pace.began(1);
    expect(pace.waitMs()).toBe(1);
    nowMs += 0.4;
    expect(pace.waitMs()).toBeCloseTo(0.6);
    nowMs += 5;
    expect(pace.waitMs()).toBe(0);

    const send = (perSecond: number) => {
      for (let i = 0; i < 200; i++) {
        nowMs += 5;
        pace.began(perSecond / 200);
      }
      return pace.waitMs();
    };
    expect(send(2800)).toBe(1);
    expect(send(3200)).toBe(4);
    expect(send(12_000)).toBeCloseTo(4);
    expect(send(18_000)).toBeCloseTo(6);
    expect(send(60_000)).toBe(8);
    expect(send(1000)).toBe(1);
  });
});
