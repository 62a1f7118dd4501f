import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { encodeInboxCursor, limits } from '@openclaw/protocol/wire';
import { holdLocks, startPostgres, waitFor, type PostgresServer } from '@openclaw/test-support';
import { commandOf } from '../contract/command-of.contract.ts';
import { openPostgresCore } from '../postgres/postgres-core.ts';
import { inboxScope } from './inbox-places.ts';
import type { StoreCore } from './store-core.ts';

let server: PostgresServer;
let core: StoreCore;

beforeAll(async () => {
  // By default, PostgreSQL ends a deadlock after a second. The store then repeats the group, so the test would not
  // notice the deadlock. With this setting, the lock timeout ends the deadlock first, and a call fails.
  server = await startPostgres(['deadlock_timeout=1min']);
  core = await openPostgresCore(
    { url: server.url, poolSize: 2, lockTimeoutMs: 5_000, timeoutMs: 8_000 },
    (fault) => {
      throw new Error(fault);
    },
  );
}, 60_000);
afterAll(async () => {
  await core?.close();
  await server?.stop();
});

const actor = { agentId: 'ana', isAdmin: false };

async function createChannel(channelId: string): Promise<void> {
  const send = commandOf(actor, 'message.send', { channelId, content: 'text' });
  const outcomes = await core.runGroup([
    commandOf(actor, 'channel.create', { channelId, name: channelId, maxMessages: 1 }),
    ...Array.from({ length: 5 }, () => send),
  ]);
  expect(outcomes.every(({ ok }) => ok)).toBe(true);
}

async function pass(): Promise<number> {
  server.query('update sweeps set due_at = 0');
  for (let pieces = 1; ; pieces += 1) {
    expect(pieces).toBeLessThan(50);
    if ((await core.sweep()).isPassDone) return pieces;
  }
}

const floorOf = async (channelId: string) =>
  (await core.access('ana', [channelId])).get(channelId)?.floor;

// The race: another transaction holds a channel's lock for longer than a pass. The sweep retried that channel without
// end, and trimmed none after it.
it('trims the other channels while some stay locked', async () => {
  const ids = ['c1', 'c2', 'c3', 'c4'];
  for (const id of ids) await createChannel(id);
  const release = await holdLocks(
    server,
    `begin; select * from channels where id in ('c1', 'c3') for update`,
  );
  await pass();
  expect(await Promise.all(ids.map(floorOf))).toEqual([1, 6, 1, 6]);
  release();
  await pass();
  expect(await Promise.all(ids.map(floorOf))).toEqual([6, 6, 6, 6]);
});

// The race: groups lock a busy channel again as soon as it is free, so the sweep almost always finds it locked.
it('trims a channel that is locked most of the time', async () => {
  await createChannel('busy');
  let isBusy = true;
  const send = commandOf(actor, 'message.send', { channelId: 'busy', content: 'text' });
  const group = Array.from({ length: 50 }, () => send);
  await core.runGroup(group);
  const sending = (async () => {
    while (isBusy) await core.runGroup(group);
  })();
  await pass();
  isBusy = false;
  await sending;
  expect(await floorOf('busy')).toBeGreaterThan(6);
});

// The race: another transaction holds the channel of one due stream. The sweep stopped there, and did not report the
// interruptions that it had committed before. Invariant: the streams of all other channels end, and are reported.
it('interrupts the streams of other channels while one stays locked', async () => {
  const ids = ['s1', 's2', 's3'];
  for (const channelId of ids) {
    const stream = { channelId, content: '', stream: true };
    const outcomes = await core.runGroup([
      commandOf(actor, 'channel.create', { channelId, name: channelId }),
      commandOf(actor, 'message.send', stream),
    ]);
    expect(outcomes.every(({ ok }) => ok)).toBe(true);
  }
  const release = await holdLocks(
    server,
    `begin; select * from channels where id = 's2' for update`,
  );
  const sweep = async () =>
    (await core.sweepStreams({ awayMs: -1, idleMs: 60_000 })).map(({ event }) => event.channelId);
  expect((await sweep()).sort()).toEqual(['s1', 's3']);
  release();
  expect(await sweep()).toEqual(['s2']);
});

const waiting = () => Number(server.query('select count(*) from pg_locks where not granted'));
const untilWaiting = (count: number) =>
  waitFor(() => waiting() >= count, { what: `${count} waits for a lock` });
/** Resolves when the call has ended, or when it waits for a lock while `count` other calls wait. */
async function untilEndedOrWaiting(call: Promise<unknown>, count: number): Promise<void> {
  let isEnded = false;
  const ended = () => (isEnded = true);
  call.then(ended, ended);
  await waitFor(() => isEnded || waiting() > count, { what: 'the end, or a wait' });
}
async function acknowledge(agentId: string, place: number) {
  const scope = inboxScope(await core.epoch(), agentId, null);
  const cursor = encodeInboxCursor({ scope, place, next: 2 ** 50, open: [] });
  return commandOf({ agentId, isAdmin: false }, 'inbox.ack', { cursor });
}
const addItems = (agentId: string, channelId: string, count: number) =>
  server.query(`insert into inbox (agent_id, channel_id, seq, message_seq, reason)
    select '${agentId}', '${channelId}', 100 + i, 100 + i, 'mention'
    from generate_series(1, ${count}) as i`);
async function createInboxes(channelId: string, agentIds: readonly string[]): Promise<void> {
  await createChannel(channelId);
  const add = agentIds.map((agentId) =>
    commandOf(actor, 'member.add', { channelId, agentId, role: 'member' }),
  );
  await core.runGroup(add);
  const counted = agentIds.map((agentId) => `('${agentId}', '${channelId}', 1, 0)`);
  server.query(`insert into inbox_overflow values ${counted.join(', ')}`);
}
const leftIn = (table: string, channelId: string) =>
  server.query(`select agent_id from ${table} where channel_id = '${channelId}'`);

// The race: the sweep held the rows of two members, and waited for the first member's count of fallen items. An
// acknowledgement held this count. The next acknowledgement of its group waited for the second member. Invariant:
// whoever holds a member's count of fallen items also holds the member.
it('lets messages to everyone fall out beside a group of acknowledgements', async () => {
  await createInboxes('all', ['a1', 'a2']);
  addItems('a1', 'all', 1);
  const before = Number(server.query('select max(id) from inbox'));
  addItems('@all', 'all', limits.inboxItems + 200);
  server.query('update sweeps set due_at = 0');
  const release = await holdLocks(
    server,
    `begin; select * from inbox where agent_id = 'a1' for update`,
  );
  const commands = [await acknowledge('a1', before), await acknowledge('a2', 2 ** 50)];
  const acknowledged = core.runGroup(commands);
  await untilWaiting(1);
  const swept = core.sweep();
  await untilEndedOrWaiting(swept, 1);
  release();
  expect(await acknowledged).toMatchObject([{ ok: true }, { ok: true }]);
  await swept;
  expect(leftIn('inbox_overflow', 'all')).not.toContain('a1');
  server.query(`delete from inbox where channel_id = 'all'`);
});

// The race: the sweep of a full inbox held items and waited for the count of fallen items. An acknowledgement held the
// count and waited for the sweep's items. Invariant: the sweep locks the count first.
it('trims a full inbox beside its acknowledgement', async () => {
  await createInboxes('full', ['b']);
  addItems('b', 'full', limits.inboxItems + 200);
  server.query('update sweeps set due_at = 0');
  const release = await holdLocks(server, 'begin; select * from inbox_overflow for update');
  const acknowledged = core.runGroup([await acknowledge('b', 2 ** 50)]);
  await untilWaiting(1);
  const swept = core.sweep();
  await untilWaiting(2);
  release();
  expect(await acknowledged).toMatchObject([{ ok: true }]);
  await swept;
  expect(leftIn('inbox', 'full')).toBe('');
  expect(leftIn('inbox_overflow', 'full')).toBe('');
});

// The race: retention removed items of two agents in the order of the log. A group acknowledged them in the other
// order. Invariant: retention skips items that an acknowledgement holds.
it('trims a log beside acknowledgements of its items', async () => {
  await createInboxes('trimmed', ['d', 'e']);
  server.query(`insert into inbox (agent_id, channel_id, seq, message_seq, reason)
    values ('e', 'trimmed', 2, 2, 'mention'), ('d', 'trimmed', 3, 3, 'mention'),
      ('d', 'trimmed', 100, 100, 'mention')`);
  const held = `agent_id = 'd' and channel_id = 'trimmed' and seq = 100`;
  const release = await holdLocks(server, `begin; select * from inbox where ${held} for update`);
  const acknowledged = core.runGroup([
    await acknowledge('d', 2 ** 50),
    await acknowledge('e', 2 ** 50),
  ]);
  await untilWaiting(1);
  const swept = pass();
  await untilEndedOrWaiting(swept, 1);
  release();
  expect(await acknowledged).toMatchObject([{ ok: true }, { ok: true }]);
  await swept;
  expect(leftIn('inbox', 'trimmed')).toBe('');
});

// The race: an ask in a deleted channel expired while the sweep removed the ask. One transaction locked the ask first,
// the other locked the ask's addressees first. Invariant: the sweep locks a deleted channel before it removes its rows.
it('removes a deleted channel beside the expiry of its asks', async () => {
  await createInboxes('deleted', ['f']);
  const ask = { channelId: 'deleted', to: ['f'], content: 'x', deadlineMs: 60_000 };
  const channelId = 'deleted';
  await core.runGroup([
    commandOf(actor, 'ask.create', ask),
    commandOf(actor, 'channel.delete', { channelId }),
  ]);
  server.query(
    `update asks set due_at = 1; update channels set deleted_at = 1 where id = 'deleted'`,
  );
  const [due] = await core.due();
  const release = await holdLocks(server, 'begin; select * from ask_addressees for update');
  const swept = core.sweep();
  await untilWaiting(1);
  const expired = core.runGroup([{ method: 'expire', params: due! }]);
  await untilWaiting(2);
  release();
  await swept;
  expect(await expired).toMatchObject([{ ok: true, events: [] }]);
  expect(await core.due()).toEqual([]);
});
