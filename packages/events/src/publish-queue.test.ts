import { describe, expect, it } from '@jest/globals';
import { RedisClientError, type RedisReply } from '@openclaw/redis-client';
import { createPublishQueue, type PublishCall } from './redis-event-bus.ts';

/** A Redis whose answers the test controls. */
function slowRedis() {
  const pipelines: {
    calls: readonly PublishCall[];
    answer(replies?: RedisReply[]): void;
    fail(error: Error): void;
  }[] = [];
  return {
    pipelines,
    pipeline: (calls: readonly PublishCall[]) =>
      new Promise<RedisReply[]>((resolve, reject) => {
        pipelines.push({
          calls,
          answer: (replies = calls.map(() => 1)) => resolve(replies),
          fail: reject,
        });
      }),
  };
}

const call = (name: string): PublishCall => ['publish', 'topic', name];
const limits = { maxPending: 100, maxPendingCharacters: 1_000 };
const tick = () => new Promise((resolve) => setImmediate(resolve));

describe('a publish queue', () => {
  it('sends all calls of one tick in one pipeline, in order, including those of promise callbacks', async () => {
    const redis = slowRedis();
    const queue = createPublishQueue(redis, limits);
    const published = [queue.push([call('a'), call('b')], 2)];
    await Promise.resolve();
    published.push(queue.push([call('c')], 1));
    await Promise.resolve().then(() => published.push(queue.push([call('d')], 1)));
    await tick();
    void queue.push([call('e')], 1);
    await tick();
    expect(
      redis.pipelines.map(({ calls }) =>
        calls.map((sent) => (Array.isArray(sent) ? (sent as unknown[])[2] : sent)),
      ),
    ).toEqual([['a', 'b', 'c', 'd'], ['e']]);
    redis.pipelines[0]?.answer();
    await Promise.all(published);
    expect(queue.pending).toBe(1);
  });

  it('rejects publishes over its limits at once, and accepts more when Redis has answered', async () => {
    const redis = slowRedis();
    const queue = createPublishQueue(redis, { maxPending: 2, maxPendingCharacters: 10 });
    const unavailable = expect.objectContaining({ code: 'unavailable' });
    const first = queue.push([call('a')], 8);
    await expect(queue.push([call('too'), call('many')], 2)).rejects.toEqual(unavailable);
    await expect(queue.push([call('too long')], 3)).rejects.toEqual(unavailable);
    await tick();
    await expect(queue.push([call('still too long')], 3)).rejects.toEqual(unavailable);
    expect(queue.pending).toBe(1);
    redis.pipelines[0]?.answer();
    await first;
    expect(queue.pending).toBe(0);
    const second = queue.push([call('b'), call('c')], 10);
    await tick();
    redis.pipelines[1]?.answer();
    await second;
  });

  it('rejects exactly the publishes with a failed call', async () => {
    const redis = slowRedis();
    const queue = createPublishQueue(redis, limits);
    const results = Promise.allSettled([
      queue.push([call('a')], 1),
      queue.push([call('b'), call('c')], 1),
      queue.push([call('d')], 1),
    ]);
    await tick();
    const refusal = new RedisClientError('rejected', 'NOPERM');
    redis.pipelines[0]?.answer([1, 1, refusal, 1]);
    expect(await results).toEqual([
      { status: 'fulfilled', value: undefined },
      {
        status: 'rejected',
        reason: expect.objectContaining({ code: 'unavailable', cause: refusal }),
      },
      { status: 'fulfilled', value: undefined },
    ]);
    expect(queue.pending).toBe(0);
  });

  it('rejects all publishes of a pipeline that was not sent', async () => {
    const redis = slowRedis();
    const queue = createPublishQueue(redis, limits);
    const results = Promise.allSettled([queue.push([call('a')], 1), queue.push([call('b')], 1)]);
    await tick();
    const cause = new RedisClientError('unavailable', 'down');
    redis.pipelines[0]?.fail(cause);
    expect((await results).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(queue.pending).toBe(0);
  });

  it('is idle when everything pushed was answered', async () => {
    const redis = slowRedis();
    const queue = createPublishQueue(redis, limits);
    await queue.idle();
    let answered = false;
    void queue.push([call('a')], 1).then(() => (answered = true));
    const idle = queue.idle();
    redis.pipelines[0]?.answer();
    await idle;
    expect(answered).toBe(true);
  });
});
