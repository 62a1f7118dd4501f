import { describe, expect, it } from '@jest/globals';
import { startSweeper } from './sweeper.ts';

describe('the sweeper', () => {
  // The race: the store closes during a sweep, whose next statement would meet a closed database and be logged as a
  // bug.
  it('stops after the sweep that is in progress', async () => {
    const order: string[] = [];
    const begun = Promise.withResolvers<void>();
    const statement = Promise.withResolvers<void>();
    const stop = startSweeper(async () => {
      order.push('sweep');
      begun.resolve();
      await statement.promise;
      order.push('swept');
      return true;
    }, 1);
    await begun.promise;
    const stopped = stop().then(() => order.push('stopped'));
    await new Promise((resolve) => setImmediate(resolve));
    statement.resolve();
    await stopped;
    expect(order).toEqual(['sweep', 'swept', 'stopped']);
  });
});
