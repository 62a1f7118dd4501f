import { beforeAll, describe, expect, it } from '@jest/globals';
import { startRedis } from '@openclaw/test-support';
import { suiteScope } from '@openclaw/test-support/scopes';
import { fuzzFrames } from './fuzz-frames.ts';
import { fuzzMethods } from './fuzz-methods.ts';
import { fuzzRest } from './fuzz-rest.ts';
import { startTarget, type Target } from './target.ts';

// A short run with a fixed seed; `npm run fuzz` runs longer with other seeds.
const seed = 20_261_124;
const scope = suiteScope();
let target: Target;

beforeAll(async () => {
  const redis = await scope.use(startRedis());
  target = await scope.use(startTarget({ REDIS_URL: redis.url }));
});

describe('random input', () => {
  let bytesBefore: number;
  beforeAll(async () => {
    await fuzzMethods(target, seed + 1, 3);
    bytesBefore = await target.retainedBytes();
  });

  it('as frames gets the answers that JSON-RPC requires', async () => {
    await fuzzFrames(target, seed, 60);
  });

  it('as calls of any method gets one documented answer each', async () => {
    await fuzzMethods(target, seed, 60);
  });

  it('over REST gets no 5xx, and refusals of the standard shape', async () => {
    await fuzzRest(target, seed, 60);
  });

  it('does not make the hub’s heap grow', async () => {
    expect(((await target.retainedBytes()) - bytesBefore) / 1e6).toBeLessThan(15);
  });
});
