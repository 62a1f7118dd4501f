import { describe, expect, it } from '@jest/globals';
import { startPostgres, startRedis, waitFor, type RpcSocket } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { startTestHub } from '../testing/test-hub.ts';
import { contents, isMessage } from '../testing/messages.ts';

const redis = closeAfterAll(await startRedis());
const postgres = closeAfterAll(await startPostgres());
const environment = { REDIS_URL: redis.url, HUB_DB_URL: postgres.url, LOG_LEVEL: 'fatal' };
const hubA = closeAfterAll(await startTestHub(environment));
const hubB = closeAfterAll(await startTestHub(environment));
await waitFor(() => hubA.redis.available && hubB.redis.available, {
  what: 'Redis for both hubs',
});

const tables = () =>
  postgres.query(`select tablename from pg_tables where schemaname = 'public'`).split('\n');

function backUp(): void {
  postgres.query('drop schema if exists backup cascade; create schema backup');
  for (const table of tables())
    postgres.query(`create table backup.${table} as table public.${table}`);
}

/** Restores in one transaction, as pg_restore --clean --single-transaction does, so no connection is lost. */
function restore(then = ''): void {
  const names = tables().map((table) => `public.${table}`);
  const copies = tables().map(
    (table) => `insert into public.${table} select * from backup.${table};`,
  );
  postgres.query(`begin; truncate ${names.join(', ')}; ${copies.join(' ')} commit; ${then}`);
}

const discontinuityOf = (socket: RpcSocket, channelId: string) =>
  socket.notification('discontinuity', (params) => params.channelId === channelId, 20_000);

async function restorable(channelId: string) {
  const [ana, ben] = [await hubA.connect('ana'), await hubB.connect('ben')];
  await ana.call('channel.create', { channelId, name: channelId });
  await ben.call('channel.join', { channelId });
  for (const socket of [ana, ben]) await socket.call('subscribe', { topics: [{ channelId }] });
  const send = (content: string) => ana.call('message.send', { channelId, content });
  await send('kept');
  backUp();
  for (const content of ['lost', 'lost too']) await send(content);
  await ben.event(isMessage('lost too'));
  const close = () => Promise.all([ana.close(), ben.close()]);
  return { ana, ben, send, close };
}

async function expectNewEpoch(channelId: string, sockets: readonly RpcSocket[]): Promise<void> {
  for (const socket of sockets) {
    expect(await discontinuityOf(socket, channelId)).toMatchObject({ reason: 'epoch' });
  }
}

describe('a PostgreSQL database that was restored without a new epoch', () => {
  // The shorter log is the only sign of the restore: transaction ids keep rising, and restored rows are not reported
  // as new.
  it('is noticed though no connection was lost and nobody writes', async () => {
    const channelId = 'quiet';
    const { ana, ben, send, close } = await restorable(channelId);
    restore();
    await expectNewEpoch(channelId, [ana, ben]);
    expect(await discontinuityOf(ana, channelId)).toMatchObject({ head: 3 });
    for (const socket of [ana, ben]) expect(await contents(socket, channelId)).toEqual(['kept']);
    const { seq } = await send('new');
    expect(seq).toBe(4);
    for (const socket of [ana, ben]) await socket.event(isMessage('new'));
    await close();
  }, 40_000);

  // The next message gets the seq of a lost event. A hub that compared only seqs would drop the message as a duplicate.
  it('is noticed by the first message after it', async () => {
    const channelId = 'spoken-to';
    const { ana, ben, send, close } = await restorable(channelId);
    restore();
    expect((await send('in the place of a lost one')).seq).toBe(4);
    await expectNewEpoch(channelId, [ana, ben]);
    for (const socket of [ana, ben]) {
      expect(await contents(socket, channelId)).toEqual(['kept', 'in the place of a lost one']);
    }
    const { seq } = await send('next');
    for (const socket of [ana, ben]) {
      expect((await socket.event(isMessage('next'))).seq).toBe(seq);
    }
    await close();
  }, 40_000);

  it('is noticed when all connections are lost', async () => {
    const channelId = 'cut-off';
    const { ana, ben, close } = await restorable(channelId);
    restore(
      'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname is not null;',
    );
    await expectNewEpoch(channelId, [ana, ben]);
    for (const socket of [ana, ben]) expect(await contents(socket, channelId)).toEqual(['kept']);
    await close();
  }, 40_000);
});
