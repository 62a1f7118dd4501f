import { describe, expect, it } from '@jest/globals';
import type { RedisKey, TopicName } from '@openclaw/key-schema';
import {
  RedisClientError,
  type RedisCommand,
  type RedisReply,
  type ScriptCall,
} from '@openclaw/redis-client';
import { createPublishQueue, type Publishing } from './publish-queue.ts';

type PublishCall = RedisCommand | ScriptCall;

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

const call = (name: string): RedisCommand => ['publish', 'topic', name];
const commands = (names: string, characters = names.length): Publishing => ({
  commands: [...names].map(call),
  event: null,
  characters,
});
/** Each character of `before` stands for a command before the event. */
const eventIn = (channelId: string, json: string, before = '', topics = 1): Publishing => ({
  commands: [...before].map(call),
  event: {
    channelId,
    json,
    seq: 1,
    seqKey: `seq:${channelId}` as RedisKey,
    invalidates: [],
    invalidatesOnGap: [],
    topics: Array.from({ length: topics }, (_, n) => `topic:${channelId}:${n}` as TopicName),
  },
  characters: json.length,
});
const limits = { maxPending: 100, maxPendingCharacters: 1_000, sharded: false };
/** A script call is shown as its list of envelopes. */
const textsOf = (calls: readonly PublishCall[]) =>
  calls.map((sent) =>
    'script' in sent ? sent.args.filter((_, index) => index % 5 === 1) : sent[2],
  );
const tick = () => new Promise((resolve) => setImmediate(resolve));

describe('a publish queue', () => {
  it('sends all calls of one tick in one pipeline, in order, including those of promise callbacks', async () => {
    const redis = slowRedis();
    const queue = createPublishQueue(redis, limits);
    const published = [queue.push(commands('ab'))];
    await Promise.resolve();
    published.push(queue.push(commands('c')));
    await Promise.resolve().then(() => published.push(queue.push(commands('d'))));
    await tick();
    void queue.push(commands('e'));
    await tick();
    expect(redis.pipelines.map(({ calls }) => textsOf(calls))).toEqual([
      ['a', 'b', 'c', 'd'],
      ['e'],
    ]);
    redis.pipelines[0]?.answer();
    await Promise.all(published);
    expect(queue.pending).toBe(1);
  });

  it('rejects publishes over its limits at once, and accepts more when Redis has answered', async () => {
    const redis = slowRedis();
    const queue = createPublishQueue(redis, {
      ...limits,
      maxPending: 2,
      maxPendingCharacters: 10,
    });
    const unavailable = expect.objectContaining({ code: 'unavailable' });
    const first = queue.push(commands('a', 4));
    const second = queue.push(commands('b', 4));
    await expect(queue.push(commands('c', 1))).rejects.toEqual(unavailable);
    await tick();
    expect(queue.pending).toBe(2);
    redis.pipelines[0]?.answer();
    await Promise.all([first, second]);
    expect(queue.pending).toBe(0);
    const third = queue.push(commands('d', 8));
    await expect(queue.push(commands('e', 3))).rejects.toEqual(unavailable);
    await tick();
    await expect(queue.push(commands('e', 3))).rejects.toEqual(unavailable);
    redis.pipelines[1]?.answer();
    await third;
    const fourth = queue.push(commands('e', 3));
    await tick();
    redis.pipelines[2]?.answer();
    await fourth;
  });

  it('rejects exactly the publishes with a failed call', async () => {
    const redis = slowRedis();
    const queue = createPublishQueue(redis, limits);
    const results = Promise.allSettled([
      queue.push(commands('a')),
      queue.push(commands('bc')),
      queue.push(commands('d')),
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
    const results = Promise.allSettled([queue.push(commands('a')), queue.push(commands('b'))]);
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
    void queue.push(commands('a')).then(() => (answered = true));
    const idle = queue.idle();
    redis.pipelines[0]?.answer();
    await idle;
    expect(answered).toBe(true);
  });

  it('publishes the events of one tick in one script call, and keeps the place of other publishes', async () => {
    const redis = slowRedis();
    const queue = createPublishQueue(redis, limits);
    void queue.push(eventIn('c1', 'e1'));
    void queue.push(eventIn('c2', 'e2'));
    void queue.push(commands('t'));
    void queue.push(eventIn('c1', 'e3'));
    void queue.push(eventIn('c3', 'e4'));
    await tick();
    expect(textsOf(redis.pipelines[0]?.calls ?? [])).toEqual([['e1', 'e2'], 't', ['e3', 'e4']]);
  });

  it('publishes the events of each channel by a call of their own on Cluster, after their other topics', async () => {
    const redis = slowRedis();
    const queue = createPublishQueue(redis, { ...limits, sharded: true });
    void queue.push(eventIn('c1', 'e1'));
    void queue.push(eventIn('c2', 'e2', 'ab'));
    void queue.push(eventIn('c1', 'e3'));
    await tick();
    expect(textsOf(redis.pipelines[0]?.calls ?? [])).toEqual(['a', 'b', ['e1', 'e3'], ['e2']]);
  });

  it('limits the events and the characters of one script call', async () => {
    const redis = slowRedis();
    const queue = createPublishQueue(redis, {
      ...limits,
      maxPending: 1_000,
      maxPendingCharacters: 10_000_000,
    });
    for (let index = 0; index < 65; index += 1) void queue.push(eventIn('c1', 'e'));
    void queue.push(eventIn('c1', 'x'.repeat(300_000)));
    void queue.push(eventIn('c1', 'x'.repeat(3_000), '', 100));
    void queue.push(eventIn('c1', 'e'));
    await tick();
    const sizes = textsOf(redis.pipelines[0]?.calls ?? []).map(
      (texts) => Array.isArray(texts) && texts.length,
    );
    expect(sizes).toEqual([64, 1, 1, 1, 1]);
  });

  // The fault: one channel's key has the wrong type, so the script fails at its event, and the later events of the call
  // are lost. Invariant: a damaged key affects only its own channel.
  it('publishes the events of a failed call one by one, and rejects only those that fail again', async () => {
    const redis = slowRedis();
    const queue = createPublishQueue(redis, limits);
    const results = Promise.allSettled(
      ['e1', 'e2', 'e3'].map((json) => queue.push(eventIn('c1', json))),
    );
    await tick();
    const refusal = new RedisClientError('rejected', 'WRONGTYPE');
    redis.pipelines[0]?.answer([refusal]);
    await tick();
    expect(textsOf(redis.pipelines[1]?.calls ?? [])).toEqual([['e1'], ['e2'], ['e3']]);
    redis.pipelines[1]?.answer([1, refusal, 1]);
    expect((await results).map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect(queue.pending).toBe(0);
  });

  it.each([
    new RedisClientError('unavailable', 'OOM'),
    new RedisClientError('rejected', 'NOPERM this user has no permissions'),
  ])('rejects every event of a call that Redis refused as a whole: $message', async (refusal) => {
    const redis = slowRedis();
    const queue = createPublishQueue(redis, limits);
    const results = Promise.allSettled(['e1', 'e2'].map((json) => queue.push(eventIn('c1', json))));
    await tick();
    redis.pipelines[0]?.answer([refusal]);
    expect((await results).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(redis.pipelines).toHaveLength(1);
  });
});
