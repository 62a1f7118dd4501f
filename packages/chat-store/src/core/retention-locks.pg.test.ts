import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { holdLocks, startPostgres, type PostgresServer } from '@openclaw/test-support';
import { commandOf } from '../contract/command-of.contract.ts';
import { openPostgresCore } from '../postgres/postgres-core.ts';
import type { StoreCore } from './store-core.ts';

let server: PostgresServer;
let core: StoreCore;

beforeAll(async () => {
  server = await startPostgres();
  core = await openPostgresCore(
    { url: server.url, poolSize: 2, lockTimeoutMs: 2000, timeoutMs: 2900 },
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
// end, and trimmed no channel after it.
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
