import { beforeAll, describe, expect, it } from '@jest/globals';
import type { StoreCore } from '../core/store-core.ts';
import { commandOf } from './command-of.contract.ts';
import { openBeforeAll, type OpenedDatabase } from './opened-database.contract.ts';

const messagesPerCycle = 600;
const content = 'a text of an agent '.repeat(20);

export function describeGrowth(engine: string, start: () => Promise<OpenedDatabase>): void {
  describe(`the size of a database with retention on ${engine}`, () => {
    let database: OpenedDatabase;
    let core: StoreCore;
    const channelId = 'busy';
    const actor = { agentId: 'ana', isAdmin: false };

    openBeforeAll(start, (opened) => ({ database, core } = opened));
    beforeAll(async () => {
      await core.runGroup([commandOf(actor, 'channel.create', { channelId, name: 'Busy' })]);
    });

    async function write(): Promise<void> {
      const send = commandOf(actor, 'message.send', { channelId, content, mentions: [] });
      for (let sent = 0; sent < messagesPerCycle; sent += 200) {
        const outcomes = await core.runGroup(Array.from({ length: 200 }, () => send));
        const reactions = outcomes.slice(0, 20).map((outcome) => {
          const messageId =
            outcome.ok && 'messageId' in outcome.result ? outcome.result.messageId : '';
          return commandOf(actor, 'reaction.add', { channelId, messageId, emoji: '👍' });
        });
        await core.runGroup(reactions);
      }
    }
    async function sweep(): Promise<void> {
      database.run('update sweeps set due_at = 0');
      while ((await core.sweep({ retentionMs: null, maxMessages: 200 })).isMore);
    }

    // The space of trimmed rows must be reused.
    it('stays the same over ten cycles of writing and sweeping', async () => {
      const sizes: number[] = [];
      for (let cycle = 0; cycle < 10; cycle += 1) {
        await write();
        await sweep();
        sizes.push(database.bytes());
      }
      const [, second = 0] = sizes;
      expect([sizes, sizes.every((size) => size <= 1.15 * second)]).toEqual([sizes, true]);
      // Negative control: without sweeping the database grows.
      for (let cycle = 0; cycle < 5; cycle += 1) await write();
      expect(database.bytes()).toBeGreaterThan(2 * second);
    }, 240_000);
  });
}
