import { describe, expect, it } from '@jest/globals';
import { ChatStoreError, createChatStore, inspectStore } from './index.ts';

const alice = { agentId: 'alice', isAdmin: false };

export function describeInspection(name: string, createUrl: () => Promise<string>): void {
  describe(name, () => {
    it('reports the schema, the newest event and the hubs, while a store uses the database', async () => {
      const url = await createUrl();
      // The search's indexer would begin transactions, which the inspection counts.
      const store = await createChatStore({ url, searchEveryMs: 3_600_000 });
      try {
        await store.append(alice, 'channel.create', {
          ...{ name: 'c', channelId: 'c1', kind: 'public' as const },
          topic: null,
          metadata: null,
          retentionMs: null,
          maxMessages: null,
        });
        await store.beat('hub-1', true);
        await store.beat('hub-2');
        const seen = await inspectStore(url);
        expect(seen).toMatchObject({
          schema: { latest: expect.stringMatching(/^\d{4}_/), pending: [], newer: [] },
          epoch: store.epoch,
          channels: 1,
          newest: { channelId: 'c1', seq: (await store.heads(['c1'])).get('c1') },
          transactionLag: 0,
        });
        expect(seen.sizeBytes).toBeGreaterThan(10_000);
        expect(Math.abs(Date.now() - (seen.newest?.atMs ?? 0))).toBeLessThan(30_000);
        const beats = seen.hubs.map(({ hubId, isWithoutRedis }) => [hubId, isWithoutRedis]).sort();
        expect(beats).toEqual([
          ['hub-1', true],
          ['hub-2', false],
        ]);
        expect(seen.hubs.every(({ lastBeatAgoMs }) => lastBeatAgoMs < 30_000)).toBe(true);
      } finally {
        await store.close();
      }
    });

    it('migrates nothing: an empty database stays empty', async () => {
      const url = await createUrl();
      for (let time = 0; time < 2; time += 1) {
        const { schema, channels } = await inspectStore(url);
        expect(schema).toMatchObject({ latest: null, newer: [] });
        expect(schema.pending.length).toBeGreaterThan(0);
        expect(channels).toBeNull();
      }
    });
  });
}

export async function failureOf(url: string): Promise<string> {
  const error: unknown = await inspectStore(url, { timeoutMs: 500 }).catch((e: unknown) => e);
  return error instanceof ChatStoreError ? `${error.code}: ${error.message}` : String(error);
}
