import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startRedis, type RedisServer } from '@openclaw/test-support';
import { fuzzFrames } from './fuzz-frames.ts';
import { fuzzMethods } from './fuzz-methods.ts';
import { fuzzRest } from './fuzz-rest.ts';
import { startTarget, type Target } from './target.ts';

// `npm run fuzz -- --minutes 10 --seed 1` goes on where these end.
const seed = 20_261_124;
let redis: RedisServer;
let target: Target;

beforeAll(async () => {
  redis = await startRedis();
  target = await startTarget({ REDIS_URL: redis.url });
});
afterAll(async () => {
  await target?.stop();
  await redis?.stop();
});

describe('whatever strangers send', () => {
  let before: number;
  beforeAll(async () => {
    await fuzzMethods(target, seed + 1, 3);
    before = await target.heldBytes();
  });

  it('as frames is answered as JSON-RPC says, and harms nobody', async () => {
    await fuzzFrames(target, seed, 60);
  });

  it('as calls of any method is answered once each, as the method documents', async () => {
    await fuzzMethods(target, seed, 60);
  });

  it('over REST gets no 5xx, and a refusal in the one shape', async () => {
    await fuzzRest(target, seed, 60);
  });

  it('is not kept in the hub’s memory', async () => {
    expect(((await target.heldBytes()) - before) / 1e6).toBeLessThan(15);
  });
});
