import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ParamsInputOf } from '@openclaw/protocol';
import { temporaryFolder } from '@openclaw/test-support';
import { sql } from 'kysely';
import type { WriteMethod } from '../commands.ts';
import { commandOf } from '../contract/command-of.contract.ts';
import { openSqliteEngine } from '../sqlite/sqlite-engine.ts';
import type { Engine } from './engine.ts';
import { createStoreCore, type StoreCore } from './store-core.ts';

describe('the core, on a clock of the test', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let core: StoreCore;
  let engine: Engine;
  let path: string;
  let nowMs = 1_000_000;
  const command = <M extends WriteMethod>(method: M, params: ParamsInputOf<M>) =>
    commandOf({ agentId: 'alice', isAdmin: false }, method, params);

  beforeAll(async () => {
    folder = await temporaryFolder('core');
    path = join(folder.path, 'hub.sqlite');
    engine = await openSqliteEngine({
      path,
      readOnly: false,
      busyTimeoutMs: 100,
      clock: () => nowMs,
    });
    core = createStoreCore(engine, (error) => {
      throw error;
    });
  });
  afterAll(async () => {
    await core.close();
    await folder.remove();
  });

  it('treats a hub as dead 5 s after its last beat', async () => {
    await core.beat('here', true);
    nowMs += 4000;
    await core.beat('there', true);
    expect(await core.redislessHubs(['here', 'there'])).toEqual(new Set(['here', 'there']));
    nowMs += 1001;
    expect(await core.redislessHubs(['here', 'there'])).toEqual(new Set(['there']));
    nowMs += 4000;
    expect(await core.redislessHubs(['here', 'there'])).toEqual(new Set());
    await core.beat('here', true);
    expect(await core.redislessHubs(['here', 'there'])).toEqual(new Set(['here']));
  });

  it('lists the hubs that have beaten in the last minute, latest first', async () => {
    nowMs += 100_000;
    await core.beat('old');
    nowMs += 59_000;
    await core.beat('new');
    nowMs += 1_000;
    expect(await core.hubs()).toEqual([
      { hubId: 'new', lastBeatAgoMs: 1_000, figures: null },
      { hubId: 'old', lastBeatAgoMs: 60_000, figures: null },
    ]);
    nowMs += 1;
    expect(await core.hubs()).toEqual([{ hubId: 'new', lastBeatAgoMs: 1_001, figures: null }]);
  });

  it('finds changes by commits and not by clocks: also when the clock goes back', async () => {
    const channelId = 'clock';
    await core.runGroup([command('channel.create', { channelId, name: 'Clock' })]);
    const send = () => core.runGroup([command('message.send', { channelId, content: 'x' })]);
    await send();
    const { mark } = await core.changes(null);
    nowMs -= 3_600_000;
    const [sent] = await send();
    expect(sent).toMatchObject({ ok: true, result: { seq: 3, timestamp: nowMs } });
    expect((await core.changes(mark)).heads).toEqual([{ channelId, head: 3 }]);
  });

  it('continues where a full list of changes ended', async () => {
    const { mark } = await core.changes(null);
    const size = 500;
    for (let group = 0; group < 13; group++) {
      const commands = Array.from({ length: size }, (_, i) =>
        command('channel.create', { channelId: `many-${group}-${i}`, name: 'Many' }),
      );
      await core.runGroup(commands);
    }
    const seen = new Set<string>();
    let changes = await core.changes(mark);
    let rounds = 1;
    for (; changes.hasMore; rounds++) {
      for (const { channelId } of changes.heads) seen.add(channelId);
      changes = await core.changes(changes.mark);
    }
    for (const { channelId } of changes.heads) seen.add(channelId);
    expect(seen.size).toBe(13 * size);
    expect(rounds).toBe(2);
    expect((await core.changes(changes.mark)).heads).toEqual([]);
  });

  it('commits nothing of a group that does not fit on the disk, and continues when there is space', async () => {
    const channelId = 'full';
    await core.runGroup([command('channel.create', { channelId, name: 'Full' })]);
    const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(engine.db);
    await sql`pragma max_page_count = ${sql.lit((rows[0]?.page_count ?? 0) + 3)}`.execute(
      engine.db,
    );
    const group = () =>
      core.runGroup(
        Array.from({ length: 50 }, () =>
          command('message.send', { channelId, content: 'x'.repeat(1000) }),
        ),
      );
    await expect(group()).rejects.toMatchObject({
      name: 'ChatStoreError',
      code: 'unavailable',
      retryAfterMs: expect.any(Number),
    });
    expect(await core.logPage(channelId, 1, 10, 1e6)).toMatchObject({ events: [], head: 1 });
    await sql`pragma max_page_count = 1000000`.execute(engine.db);
    expect((await group()).every((outcome) => outcome.ok)).toBe(true);
    expect((await core.logPage(channelId, 50, 10, 1e6)).head).toBe(51);
  });

  it('counts unread messages only up to its limit', async () => {
    const channelId = 'crowd';
    const bob = { agentId: 'bob', isAdmin: false };
    await core.runGroup([
      command('channel.create', { channelId, name: 'Crowd' }),
      command('member.add', { channelId, agentId: 'bob' }),
    ]);
    for (let group = 0; group < 21; group++) {
      const sends = Array.from({ length: 500 }, () =>
        command('message.send', { channelId, content: 'x' }),
      );
      await core.runGroup(sends);
    }
    const state = await core.read(bob, 'read.state', {});
    expect(state).toMatchObject({
      ok: true,
      result: { channels: [{ head: 10_502, unread: 10_000 }] },
    });
  });

  it('removes the contents of a deleted channel, piece by piece, but neither its id nor its last event', async () => {
    const channelId = 'gone';
    await core.runGroup([
      command('channel.create', { channelId, name: 'Secret name', topic: 'secret topic' }),
      command('member.add', { channelId, agentId: 'bob' }),
    ]);
    const sends = Array.from({ length: 700 }, () =>
      command('message.send', { channelId, content: 'secret', mentions: ['bob'] }),
    );
    const [first] = await core.runGroup(sends);
    const messageId = first?.ok && 'messageId' in first.result ? first.result.messageId : '';
    await core.runGroup([
      command('reaction.add', { channelId, messageId, emoji: 'x' }),
      command('message.send', { channelId, content: 'secret', threadId: messageId }),
      command('read.mark', { channelId, seq: 5 }),
      command('channel.delete', { channelId }),
    ]);
    expect((await core.sweep()).isMore).toBe(false);
    nowMs += 600_001;
    let pieces = 0;
    while ((await core.sweep()).isMore) pieces += 1;
    expect(pieces).toBeGreaterThan(3);
    const { events, head } = await core.logPage(channelId, 0, 1000, 1e6);
    expect([head, events.map((event) => event.type)]).toEqual([705, ['channel.delete']]);
    const database = new DatabaseSync(path, { readOnly: true });
    for (const table of ['messages', 'members', 'mentions', 'threads', 'read_cursors']) {
      const count = database.prepare(`select count(*) as n from ${table} where channel_id = ?`);
      expect([table, count.get(channelId)?.n]).toEqual([table, 0]);
    }
    expect(database.prepare('select count(*) as n from reactions').get()?.n).toBe(0);
    const row = database.prepare('select * from channels where id = ?').get(channelId);
    expect(JSON.stringify(row)).not.toContain('ecret');
    database.close();
    expect(
      await core.runGroup([command('channel.create', { channelId, name: 'Again' })]),
    ).toMatchObject([{ ok: false, code: 'conflict' }]);
  });

  // The fault: one commit removed the reactions of 500 messages, up to a thousand each. Invariant: no commit waits long
  // for the sweeper.
  it('removes no more than some hundred rows of a deleted channel in one commit', async () => {
    const channelId = 'liked';
    const sends = [1, 2, 3].map(() => command('message.send', { channelId, content: 'x' }));
    await core.runGroup([command('channel.create', { channelId, name: 'Liked' }), ...sends]);
    const numbers = sql`with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000)`;
    await sql`insert into reactions (message_id, emoji, agent_id, seq) ${numbers}
      select m.id, '+', 'agent' || i, 1 from messages m, n where m.channel_id = ${channelId}`.execute(
      engine.db,
    );
    await sql`insert into members (channel_id, agent_id, role, joined_at) ${numbers}
      select ${channelId}, 'agent' || i, 'member', 1 from n`.execute(engine.db);
    await sql`insert into read_cursors (channel_id, agent_id, seq) ${numbers}
      select ${channelId}, 'agent' || i, 1 from n`.execute(engine.db);
    await core.runGroup([command('channel.delete', { channelId })]);
    nowMs += 600_001;
    const tables = ['reactions', 'read_cursors', 'members'];
    const database = new DatabaseSync(path, { readOnly: true });
    const rows = () =>
      tables.map(
        (table) => database.prepare(`select count(*) as n from ${table}`).get()?.n as number,
      );
    let most = 0;
    for (let [before, isMore] = [rows(), true]; isMore;) {
      ({ isMore } = await core.sweep());
      const after = rows();
      most = Math.max(most, ...after.map((count, index) => (before[index] ?? 0) - count));
      before = after;
    }
    expect(rows().slice(0, 2)).toEqual([0, 0]);
    database.close();
    expect(most).toBeLessThanOrEqual(500);
  });
});
