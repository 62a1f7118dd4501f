import { execFileSync } from 'node:child_process';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  connectRpc,
  startHub,
  startPostgres,
  startRedis,
  temporaryFolder,
  waitFor,
  type HubProcess,
  type RpcSocket,
} from '@openclaw/test-support';
import type { InboxItem } from '@openclaw/protocol';
import { testScope } from '@openclaw/test-support/scopes';
import { backUpUnderLoad, channelId, expectRestored, openFleet, run, succeed } from './drill.ts';

const scope = testScope();

async function arrange() {
  const folder = await scope.use(temporaryFolder('drill'));
  const postgres = await scope.use(startPostgres());
  const env = { HUB_DB_URL: postgres.url, HUB_LIMIT_MESSAGE: '1000000/60' };
  return { postgres, env, to: join(folder.path, 'backups') };
}

describe('a PostgreSQL database', () => {
  it('is dumped under load, dropped and restored; clients start over by the epoch', async () => {
    const { postgres, env: database, to } = await arrange();
    const redis = await scope.use(startRedis());
    const env = { ...database, REDIS_URL: redis.url };
    const hub = await scope.use(startHub({ env }));
    const fleet = await scope.use(openFleet(hub));
    const backup = await backUpUnderLoad(fleet, to, env, () =>
      postgres.query(`create table ballast as select n, repeat(md5(n::text), 100) as bytes
        from generate_series(1, 20000) as s(n)`),
    );
    await fleet.ana.call('message.history', { channelId });
    const cached = `EXISTS openclaw:messages:${channelId}:recent openclaw:seq:messages:${channelId}`;
    expect(await redis.command(cached)).not.toBe(':0');

    expect(await run(['restore', '--from', to], env)).toMatchObject({
      code: 4,
      output: expect.stringContaining('stop every hub first'),
    });
    expect(await fleet.log()).toEqual(backup.former);
    await hub.kill();
    // The table `later` stands for one that a later release left behind.
    postgres.query(
      'drop schema public cascade; create schema public; create table later (id text)',
    );
    await succeed(['restore', '--from', to], env);
    expect(postgres.query(`select count(*) from pg_tables where tablename = 'later'`)).toBe('0');
    expect(await redis.command(`EXISTS openclaw:messages:${channelId}:recent`)).toBe(':0');
    await hub.restart();
    await expectRestored(fleet, backup);
  });

  // On PostgreSQL, the cursor of an inbox holds transaction ids. The ids of another server start again at low numbers,
  // so an old cursor is ahead of every new item. Invariant: no item is hidden, and asks, claims and the search
  // continue.
  it('is restored to another server, where inboxes, asks, claims and the search continue', async () => {
    const { postgres, env, to } = await arrange();
    const hub = await scope.use(startHub({ env }));
    const connect = ({ url }: HubProcess, agentId: string) =>
      scope.use(connectRpc(`${url}/v1/ws?agent=${agentId}`));
    const [ana, ben] = [await connect(hub, 'ana'), await connect(hub, 'ben')];
    await ana.call('channel.create', { channelId, name: channelId });
    await ana.call('member.add', { channelId, agentId: 'ben' });
    const mention = (socket: RpcSocket, content: string) =>
      socket.call('message.send', { channelId, content, mentions: ['ben'] });
    const inbox = async (socket: RpcSocket, after?: string) => {
      const { items, cursor } = await socket.call('inbox.read', { after });
      const contents = (items as InboxItem[]).map(({ message }) => message?.content);
      return { contents, cursor: cursor as string };
    };
    const hits = async (socket: RpcSocket, query: string) =>
      ((await socket.call('message.search', { query })).hits as unknown[]).length;
    const { messageId: threadId } = await mention(ana, 'first mention');
    await ben.call('inbox.ack', { cursor: (await inbox(ben)).cursor });
    await mention(ana, 'kept mention');
    const toBen = { channelId, content: 'kept ask', to: ['ben'], deadlineMs: 600_000 };
    const { askId } = await ana.call('ask.create', toBen);
    const claim = { channelId, threadId, leaseMs: 1_000 };
    expect(await ana.call('claim', claim)).toMatchObject({ fence: 1 });
    await waitFor(async () => (await hits(ben, 'mention')) === 2, { what: 'the index' });
    await succeed(['backup', '--to', to], env);
    await mention(ana, 'lost mention');
    // Uses up 5,000 transaction ids here, so that the ids of the new server stay below them.
    postgres.query(`do $$ begin for i in 1..5000 loop
      commit; perform pg_current_xact_id(); end loop; end $$`);
    const former = await inbox(ben);
    expect(former.contents).toEqual(['kept mention', 'kept ask', 'lost mention']);
    await hub.kill();

    const other = await scope.use(startPostgres());
    const restored = { ...env, HUB_DB_URL: other.url };
    await succeed(['restore', '--from', to], restored);
    const next = await scope.use(startHub({ env: restored }));
    const [anna, benno] = [await connect(next, 'ana'), await connect(next, 'ben')];
    const kept = ['kept mention', 'kept ask'];
    expect((await inbox(benno)).contents).toEqual(kept);
    await benno.call('inbox.ack', { cursor: former.cursor });
    await mention(anna, 'new mention');
    const { contents, cursor } = await inbox(benno, former.cursor);
    expect(contents).toEqual([...kept, 'new mention']);

    expect((await benno.call('ask.accept', { askId })).ask.addressees).toMatchObject([
      { agentId: 'ben', state: 'accepted' },
    ]);
    await waitFor(() => benno.call('claim', claim).catch(() => null), {
      what: 'the claim after its lease',
    }).then(({ fence }) => expect(fence).toBe(2));
    await waitFor(async () => (await hits(benno, 'mention')) === 3, { what: 'the index' });
    expect(await hits(benno, 'lost')).toBe(0);

    // Negative control: if the epoch had not changed, the old cursor would hide every item, including the new one.
    const nameEpoch = (epoch: string) =>
      other.query(`update meta set value = '${epoch}' where name = 'epoch'`);
    nameEpoch(String(ben.welcome.epoch));
    expect((await inbox(benno, former.cursor)).contents).toEqual([]);
    nameEpoch(String(benno.welcome.epoch));
    await benno.call('inbox.ack', { cursor });
    expect((await inbox(benno)).contents).toEqual([]);
  });

  it('stays as it was when its archive is damaged, or the restore fails half-way', async () => {
    const { postgres, env, to } = await arrange();
    await succeed(['migrate'], env);
    const archive = await succeed(['backup', '--to', to], env);
    postgres.query(`insert into meta values ('drill', 'later')`);
    const state = () => postgres.query('select name, value from meta order by name');
    const before = state();
    const dump = join(archive, 'database.dump');
    const whole = await readFile(dump);
    await writeFile(dump, whole.subarray(0, whole.length - 100));
    expect(await run(['restore', '--from', to], env)).toMatchObject({
      code: 3,
      output: expect.stringContaining('does not match its checksum'),
    });
    expect(state()).toBe(before);
    // The checksums match again, so only a check of the dump can find the damage.
    execFileSync('sh', ['-c', 'sha256sum database.dump manifest.json > SHA256SUMS'], {
      cwd: archive,
    });
    expect(await run(['restore', '--from', to], env)).toMatchObject({ code: 3 });
    expect(state()).toBe(before);
    await writeFile(dump, whole);
    execFileSync('sh', ['-c', 'sha256sum database.dump manifest.json > SHA256SUMS'], {
      cwd: archive,
    });
    // An index of another user's table has the name of one of the hub's indexes. The restore does not drop that index,
    // and fails after it has dropped and filled the hub's tables.
    postgres.query(`alter index log_marks rename to log_marks_before; create role other;
      create table taken (n int); create index log_marks on taken (n); alter table taken owner to other`);
    expect(await run(['restore', '--from', to], env)).toMatchObject({
      code: 1,
      output: expect.stringContaining('"log_marks" already exists'),
    });
    expect(state()).toBe(before);
    // Negative control: without that table the restore succeeds.
    postgres.query('drop table taken');
    await succeed(['restore', '--from', to], env);
    expect(state()).not.toContain('later');
    expect(await readdir(to)).toContain('openclaw_backup.prom');
  });

  it('never shows its password', async () => {
    const { postgres, to } = await arrange();
    const url = postgres.url.replace('hub@', 'hub:s3cret-word@').replace(/:\d+\//, ':1/');
    for (const args of [
      ['backup', '--to', to],
      ['migrate', '--plan'],
      ['restore', '--new-epoch'],
    ]) {
      const { code, output } = await run(args, { HUB_DB_URL: url });
      expect([code, output.includes('s3cret')]).toEqual([1, false]);
    }
  });
});
