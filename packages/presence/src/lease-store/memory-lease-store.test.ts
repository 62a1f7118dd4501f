import { describe, expect, it } from '@jest/globals';
import { createMemoryLeaseStore } from '../index.ts';
import { presenceModelContract } from './lease-store-model.contract.ts';
import { presenceContract } from './lease-store.contract.ts';

presenceContract('in memory', createMemoryLeaseStore);
presenceModelContract('in memory', createMemoryLeaseStore, 300);

describe('the memory lease store', () => {
  const lease = (agentId: string) => ({ agentId, hubId: 'h', sessionId: 's' });

  it('refuses a lease beyond maxLeases, and accepts leases again when some have ended', async () => {
    const presence = createMemoryLeaseStore({ maxLeases: 2 });
    await presence.join('c', lease('a'));
    await presence.join('c', lease('b'));
    await expect(presence.join('c', lease('x'))).rejects.toMatchObject({ code: 'full' });
    const [again, refused] = await presence.joinMany([
      { channelId: 'c', lease: lease('a') },
      { channelId: 'c', lease: lease('x') },
    ]);
    expect(again).toMatchObject({ changed: false });
    expect(refused).toMatchObject({ name: 'PresenceError', code: 'full' });
    await presence.leave('c', lease('a'));
    expect(await presence.join('c', lease('x'))).toMatchObject({ agentId: 'x' });
  });

  it('refuses invalid options', () => {
    for (const options of [{ leaseMs: 0 }, { leaseMs: 1.5 }, { maxLeases: -1 }]) {
      expect(() => createMemoryLeaseStore(options)).toThrow(
        expect.objectContaining({ name: 'PresenceError', code: 'invalid_options' }),
      );
    }
  });
});
