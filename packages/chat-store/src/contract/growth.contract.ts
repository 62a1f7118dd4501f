import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { methods } from '@openclaw/protocol';
import type { Command } from '../commands.ts';
import type { StoreCore } from '../core/store-core.ts';
import type { OpenedDatabase } from './opened-database.contract.ts';

const messagesPerCycle = 600;
const content = 'a text of an agent '.repeat(20);

export function describeGrowth(engine: string, start: () => Promise<OpenedDatabase>): void {
  describe(`the size of a database with retention on ${engine}`, () => {
    let database: OpenedDatabase;
    let core: StoreCore;
    const channelId = 'busy';
    const actor = { agentId: 'ana', isAdmin: false };

    beforeAll(async () => {
      database = await start();
      core = await database.open();
      const params = methods['channel.create'].params.parse({ channelId, name: 'Busy' });
      await core.runGroup([{ actor, method: 'channel.create', params }]);
    }, 60_000);
    afterAll(async () => {
      await core?.close();
      await database?.stop();
    });

    async function write(): Promise<void> {
      const params = methods['message.send'].params.parse({ channelId, content, mentions: [] });
      for (let sent = 0; sent < messagesPerCycle; sent += 200) {
        const outcomes = await core.runGroup(
          Array.from({ length: 200 }, (): Command => ({ actor, method: 'message.send', params })),
        );
        const reactions = outcomes.slice(0, 20).map((outcome): Command => {
          const messageId =
            outcome.ok && 'messageId' in outcome.result ? outcome.result.messageId : '';
          const reaction = { channelId, messageId, emoji: '👍' };
          const added = methods['reaction.add'].params.parse(reaction);
          return { actor, method: 'reaction.add', params: added };
        });
        await core.runGroup(reactions);
      }
    }
    async function sweep(): Promise<void> {
      database.run('update sweeps set due_at = 0');
      while ((await core.sweep({ retentionMs: null, maxMessages: 200 })).isMore);
    }

    // Invariant: the space of trimmed rows is reused, so the size depends on the number of rows kept, and not on the
    // number written.
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
