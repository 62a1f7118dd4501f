import { describe, expect, it } from '@jest/globals';
import { limits, methods, type ParamsInputOf } from '@openclaw/protocol';
import type { WriteMethod } from '../commands.ts';
import type { StoreCore } from '../core/store-core.ts';
import { commandOf } from './command-of.contract.ts';
import { openBeforeAll, type OpenedDatabase } from './opened-database.contract.ts';

const command = <M extends WriteMethod>(method: M, params: ParamsInputOf<M>) =>
  commandOf({ agentId: 'alice', isAdmin: false }, method, params);

/** The number `edits` must be so large that redacting all rows at once would fail. */
export function describeRedactions(
  engine: string,
  start: () => Promise<OpenedDatabase>,
  edits: number,
): void {
  describe(`the texts of deleted messages on ${engine}`, () => {
    let database: OpenedDatabase;
    let core: StoreCore;
    openBeforeAll(start, (opened) => ({ database, core } = opened));

    /** An earlier release allowed edits without a limit. */
    async function messageEditedOften(channelId: string): Promise<string> {
      const [, sent] = await core.runGroup([
        command('channel.create', { channelId, name: 'Often' }),
        command('message.send', { channelId, content: 'secret' }),
      ]);
      const messageId = sent?.ok && 'messageId' in sent.result ? sent.result.messageId : '';
      const content = 'secret '.repeat(3000);
      await core.runGroup([command('message.edit', { channelId, messageId, content })]);
      for (let made = 0; made < edits; made += 500) {
        const emit = command('collaboration.emit', { channelId, name: 'x', payload: {} });
        await core.runGroup(Array.from({ length: Math.min(500, edits - made) }, () => emit));
      }
      database.run(`update log set type = 'channel.message.edit', message_id = '${messageId}',
        envelope = (select e.envelope from log e where e.channel_id = '${channelId}' and e.seq = 3)
        where channel_id = '${channelId}' and type = 'collaboration.event'`);
      return messageId;
    }
    const rowsWithText = (channelId: string) =>
      database.count(`select count(*) from log
        where channel_id = '${channelId}' and envelope like '%secret%'`);
    async function readAll(channelId: string): Promise<string> {
      const texts: string[] = [];
      for (let after = 0, head = 1; after < head;) {
        const page = await core.logPage(channelId, after, limits.logPage, limits.resumeBytes);
        texts.push(...page.events.map(({ json }) => json));
        after = page.events.at(-1)?.seq ?? head;
        head = page.head;
      }
      return texts.join('\n');
    }

    // The fault: the transaction of the deletion redacted all rows, which stopped all other writes and, on PostgreSQL,
    // exceeded the statement timeout.
    it('are read by nobody once the deletion is committed, and redacted in pieces by any hub', async () => {
      const channelId = 'often';
      const messageId = await messageEditedOften(channelId);
      const [deleted] = await core.runGroup([command('message.delete', { channelId, messageId })]);
      expect(deleted).toMatchObject({ ok: true, result: { seq: 4 + edits } });
      // Only the first row was redacted: the cost of a deletion does not grow with the edits.
      expect(rowsWithText(channelId)).toBe(edits + 1);
      const atOnce = await readAll(channelId);
      expect(atOnce).not.toContain('secret');
      expect(atOnce.split('\n')).toHaveLength(edits + 4);
      const history = methods['message.history'].params.parse({ channelId });
      const actor = { agentId: 'alice', isAdmin: false };
      expect(await core.read(actor, 'message.history', history)).toMatchObject({
        result: { messages: [{ id: messageId, content: '', deletedAt: expect.any(Number) }] },
      });

      const first = await database.open();
      expect((await first.sweep()).isMore).toBe(true);
      const left = rowsWithText(channelId);
      expect(edits + 1 - left).toBeGreaterThan(0);
      expect(edits + 1 - left).toBeLessThanOrEqual(limits.edits);
      // The first hub closes. Two others continue the redaction at the same time.
      await first.close();
      const other = await database.open();
      while ((await Promise.all([core.sweep(), other.sweep()])).some(({ isMore }) => isMore)) {
        expect(await core.logPage(channelId, 2, 300, 1e9)).toMatchObject({ head: 4 + edits });
      }
      await other.close();
      expect(rowsWithText(channelId)).toBe(0);
      expect(database.count('select count(*) from redactions')).toBe(0);
      // The rows now hold exactly what readers got before the redaction.
      expect(await readAll(channelId)).toBe(atOnce);
    }, 60_000);

    // The race: agents delete messages faster than the sweep can redact them one by one.
    it('of several messages with few edits are redacted together', async () => {
      const channelId = 'little';
      const send = command('message.send', { channelId, content: 'secret' });
      const [, ...sent] = await core.runGroup([
        command('channel.create', { channelId, name: 'Little' }),
        ...Array.from({ length: 40 }, () => send),
      ]);
      for (const one of sent) {
        const messageId = one.ok && 'messageId' in one.result ? one.result.messageId : '';
        await core.runGroup([
          command('message.edit', { channelId, messageId, content: 'secret 2' }),
          command('message.delete', { channelId, messageId }),
        ]);
      }
      expect(rowsWithText(channelId)).toBe(40);
      let pieces = 0;
      while (rowsWithText(channelId) > 0) {
        expect((await core.sweep()).isMore).toBe(true);
        pieces += 1;
      }
      expect(pieces).toBeLessThanOrEqual(4);
      while ((await core.sweep()).isMore);
      expect(database.count('select count(*) from redactions')).toBe(0);
    });

    it('are removed with their channel when that is deleted before they are redacted', async () => {
      const channelId = 'gone';
      const [, sent] = await core.runGroup([
        command('channel.create', { channelId, name: 'Gone' }),
        command('message.send', { channelId, content: 'secret' }),
      ]);
      const messageId = sent?.ok && 'messageId' in sent.result ? sent.result.messageId : '';
      await core.runGroup([
        command('message.edit', { channelId, messageId, content: 'secret 2' }),
        command('message.delete', { channelId, messageId }),
        command('channel.delete', { channelId }),
      ]);
      database.run(`delete from log where channel_id = '${channelId}' and seq < 5`);
      while ((await core.sweep()).isMore);
      expect(database.count('select count(*) from redactions')).toBe(0);
    });
  });
}
