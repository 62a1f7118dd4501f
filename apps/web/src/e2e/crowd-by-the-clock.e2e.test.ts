import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { gatherCrowd } from '../testing/crowd.ts';
import { startWorld, type World } from '../testing/world.ts';

jest.setTimeout(180_000);
let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world?.close());

describe('111 agents at 1,000 messages a second in view, on a machine with nothing else to do', () => {
  it('make no answer and no task of the page last 100 ms by the clock', async () => {
    const crowd = await gatherCrowd(world);
    const { answersMs, longTasksMs } = await crowd.talk(10.5);
    expect(answersMs.length).toBeGreaterThan(15);
    expect(answersMs.filter((ms) => ms >= 100)).toEqual([]);
    expect(longTasksMs.filter((ms) => ms >= 100)).toEqual([]);
  });
});
