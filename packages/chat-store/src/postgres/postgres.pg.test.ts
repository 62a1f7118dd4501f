import { connect as connectTo, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort, startPostgres, waitFor, type PostgresServer } from '@openclaw/test-support';
import pg from 'pg';
import { agentOf, channelWithTwo, uniqueId } from '../contract/world.contract.ts';
import { commandOf } from '../contract/command-of.contract.ts';
import { createMigrations } from '../core/migrations.ts';
import { openPostgresCore } from './postgres-core.ts';
import { createChatStore, type ChatStore } from '../index.ts';

describe('a chat store on PostgreSQL', () => {
  let server: PostgresServer;
  const stores: ChatStore[] = [];
  const open = async (url: string) => {
    const store = await createChatStore({ url });
    stores.push(store);
    return store;
  };
  const refusal = (url: string) =>
    open(url).then(
      () => ({ code: 'opened', message: '' }),
      (error: { code: string; message: string }) => error,
    );

  beforeAll(async () => {
    server = await startPostgres(['deadlock_timeout=200ms']);
  }, 60_000);
  afterAll(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await server.stop();
  });

  it('migrates once when four hubs start at once on an empty database', async () => {
    const four = await Promise.all([1, 2, 3, 4].map(() => open(server.url)));
    expect(new Set(four.map((store) => store.epoch)).size).toBe(1);
    const names = Object.keys(createMigrations('postgres'));
    expect(server.query('select count(*) from chat_store_migrations')).toBe(`${names.length}`);
  });

  it('names the server that refused it, and no secret', async () => {
    const port = await freePort();
    const refused = await refusal(`postgres://hub:secret-word@127.0.0.1:${port}/hub`);
    expect(refused).toMatchObject({ name: 'ChatStoreError', code: 'unavailable' });
    expect(refused.message).toContain(`127.0.0.1:${port}/hub`);

    server.query(`create role locked login password 'right'`);
    const file = `${server.query('show data_directory')}/pg_hba.conf`;
    const rules = ['host all locked 127.0.0.1/32 scram-sha-256', 'host all all 127.0.0.1/32 trust'];
    server.query(`copy (select unnest(array['${rules.join(`','`)}'])) to '${file}'`);
    server.query('select pg_reload_conf()');
    const url = server.url.replace('hub@', 'locked:secret-word@');
    const unauthorized = await waitFor(async () => {
      const answer = await refusal(url);
      return answer.message.includes('password') && answer;
    });
    expect(unauthorized).toMatchObject({ code: 'unauthorized' });

    const noDatabase = await refusal(server.url.replace(/hub$/, 'nothing'));
    expect(noDatabase).toMatchObject({ code: 'unauthorized' });
    for (const { message } of [refused, unauthorized, noDatabase]) {
      expect(message).not.toContain('secret-word');
    }
  });

  // The fault: long reads of one agent used every connection, so rights checks got none.
  it('answers others while reads of one agent hang', async () => {
    const store = await createChatStore({
      url: server.url,
      timeoutMs: 25_000,
      lockTimeoutMs: 20_000,
      poolSize: 4,
    });
    stores.push(store);
    const { channelId, owner, member } = await channelWithTwo(store);
    const { mark } = await store.changes(null);
    const locker = new pg.Client({ connectionString: server.url });
    await locker.connect();
    await locker.query('begin');
    await locker.query('lock table messages in access exclusive mode');
    let hanging = 30;
    const storm = Array.from({ length: hanging }, () =>
      owner.read('read.state', {}).then(() => (hanging -= 1)),
    );
    await store.changes(mark);
    expect((await store.access(owner.agentId, [channelId])).size).toBe(1);
    expect((await store.logPage(channelId, 0, 10, 1e6)).head).toBe(2);
    expect(await store.isRevoked({ sub: owner.agentId, issuedAtMs: 0 })).toBe(false);
    expect(await store.health()).toMatchObject({ status: 'ok' });
    expect(await member.readRefusal('channel.get', { channelId })).toBe('ok');
    expect(hanging).toBe(30);
    await locker.query('rollback');
    await locker.end();
    await Promise.all(storm);
  });

  it('commits a group of messages in two round trips', async () => {
    const oneWayMs = 30;
    const proxy = await startSlowProxy(server.port, oneWayMs);
    const store = await open(`postgres://hub@127.0.0.1:${proxy.port}/hub`);
    const { channelId, owner, member } = await channelWithTwo(store);
    const durations: number[] = [];
    for (let i = 0; i < 4; i++) {
      const startMs = performance.now();
      await Promise.all([
        owner.say(channelId, 'x', { mentions: [member.agentId], clientMessageId: `${i}` }),
        member.say(channelId, 'y'),
      ]);
      durations.push(performance.now() - startMs);
    }
    expect(Math.min(...durations)).toBeGreaterThanOrEqual(4 * oneWayMs - 2);
    expect(Math.min(...durations)).toBeLessThan(6 * oneWayMs);
    await store.close();
    proxy.close();
  });

  // The race: a transaction gets its mark early and commits late. With times or plain counts as marks, a watcher that
  // read in between would miss it.
  it('finds a change whose transaction was still open when others were found', async () => {
    const store = await open(server.url);
    const { channelId, owner } = await channelWithTwo(store);
    const late = await channelWithTwo(store);
    let { mark } = await store.changes(null);
    const slow = await connect(server);
    await slow.query('begin');
    await slow.query(
      `insert into log (channel_id, seq, id, type, sender_id, timestamp, envelope, mark)
       values ($1, 3, 'late', 'channel.message', 'x', 0, '', pg_current_xact_id()::text::bigint)`,
      [late.channelId],
    );
    await owner.say(channelId, 'x');
    const meanwhile = await store.changes(mark);
    expect(meanwhile.heads).toEqual([{ channelId, head: 3 }]);
    mark = meanwhile.mark;
    await owner.say(channelId, 'y');
    mark = (await store.changes(mark)).mark;
    await slow.query('commit');
    await slow.end();
    expect((await store.changes(mark)).heads).toEqual([{ channelId: late.channelId, head: 3 }]);
  });

  it('creates the same direct channels on two hubs at once, in any order', async () => {
    const hubs = [await open(server.url), await open(server.url)];
    const agents = ['a', 'b', 'c'].map((name) => uniqueId(name));
    const to = Array.from({ length: 8 }, (_, i) => uniqueId(`to-${i}`));
    const sent = await Promise.all(
      hubs.flatMap((hub, index) =>
        agents.flatMap((agentId) =>
          (index ? to : [...to].reverse()).map((recipient) =>
            agentOf(hub, agentId).write('direct.send', { agentId: recipient, content: 'x' }),
          ),
        ),
      ),
    );
    expect(sent.filter((one) => one.seq === 1)).toHaveLength(24);
    expect(sent.filter((one) => one.seq === 2)).toHaveLength(24);
  });

  it('repeats a group that lost a deadlock', async () => {
    const store = await open(server.url);
    const { channelId, owner } = await channelWithTwo(store);
    const wanted = uniqueId('wanted');
    const rival = await connect(server);
    // The store's connection notices the deadlock first, because the rival waits longer before it checks. So the server
    // rolls back the store's group.
    await rival.query(`set deadlock_timeout = '60s'`);
    await rival.query('begin');
    await rival.query(
      `insert into channels (id, kind, name, created_by, created_at)
       values ($1, 'public', 'x', 'x', 0)`,
      [wanted],
    );
    const group = Promise.all([
      owner.say(channelId, 'x'),
      owner.write('channel.create', { channelId: wanted, name: 'Mine' }),
    ]);
    await waitFor(() => server.query(`select count(*) from pg_locks where not granted`) === '1');
    // The group held this lock, so the rival gets it after the group's rollback.
    await rival.query('select * from channels where id = $1 for update', [channelId]);
    await rival.query('rollback');
    await rival.end();
    const [said, created] = await group;
    expect([said.seq, created.channel.head]).toEqual([3, 1]);
  });

  // The race: two hubs each run a group, and the two groups record the same new agents in opposite orders. If a group
  // wrote an agent before its end, they would deadlock.
  it('writes no new agent before the end of a group', async () => {
    const store = await open(server.url);
    const { owner } = await channelWithTwo(store);
    const newcomers = [uniqueId('new'), uniqueId('new')] as const;
    const channelIds = [uniqueId('c'), uniqueId('c')] as const;
    for (const channelId of channelIds)
      await owner.write('channel.create', { channelId, name: channelId });
    const rival = await connect(server);
    await rival.query('begin');
    await rival.query(
      `insert into members (channel_id, agent_id, role, joined_at) values ($1, $2, 'member', 1)`,
      [channelIds[1], newcomers[1]],
    );
    const group = Promise.all(
      newcomers.map((agentId, index) =>
        owner.write('member.add', { channelId: channelIds[index] ?? '', agentId }),
      ),
    );
    await waitFor(() => server.query(`select count(*) from pg_locks where not granted`) === '1');
    server.query(`set lock_timeout = '2s'; insert into agents (id) values ('${newcomers[0]}')`);
    await rival.query('rollback');
    await rival.end();
    await group;
    const names = newcomers.join(`','`);
    expect(server.query(`select count(*) from agents where id in ('${names}')`)).toBe('2');
  });

  // The race: an erasure repeats a piece after its timeout while the first run goes on, so two groups want the one
  // connection.
  it('runs groups one after the other, however many are asked for at once', async () => {
    const settings = { url: server.url, timeoutMs: 3000, lockTimeoutMs: 2000, poolSize: 1 };
    const core = await openPostgresCore(settings, (fault) => expect(fault).toBe('none'));
    const actor = { agentId: 'ann', isAdmin: false };
    const [channelId, stranger] = ['groups', 'no-such-channel'];
    await core.runGroup([commandOf(actor, 'channel.create', { channelId, name: 'Groups' })]);
    const seqs = await Promise.all(
      [channelId, channelId, stranger, channelId].map(async (to) => {
        const send = commandOf(actor, 'message.send', { channelId: to, content: 'text' });
        const [sent] = await core.runGroup([send]);
        return sent?.ok && 'seq' in sent.result ? sent.result.seq : null;
      }),
    );
    await core.close();
    expect(seqs).toEqual([2, 3, null, 4]);
    const logged = `select string_agg(seq::text, ' ' order by seq) from log where channel_id = '${channelId}'`;
    expect(server.query(logged)).toBe('1 2 3 4');
  });

  it('removes the contents of a deleted channel', async () => {
    const store = await open(server.url);
    const { channelId, owner, member } = await channelWithTwo(store);
    const { messageId } = await owner.say(channelId, 'secret', { mentions: [member.agentId] });
    await member.write('reaction.add', { channelId, messageId, emoji: 'x' });
    await member.say(channelId, 'reply', { threadId: messageId });
    await member.write('read.mark', { channelId, seq: 3 });
    await owner.write('channel.delete', { channelId });
    server.query(`update channels set deleted_at = 1 where id = '${channelId}'`);
    const settings = { url: server.url, timeoutMs: 3000, lockTimeoutMs: 2000, poolSize: 1 };
    const core = await openPostgresCore(settings, (fault) => expect(fault).toBe('none'));
    while ((await core.sweep()).isMore);
    await core.close();
    for (const table of ['log', 'messages', 'members', 'mentions', 'threads', 'read_cursors']) {
      const count = server.query(`select count(*) from ${table} where channel_id = '${channelId}'`);
      expect([table, count]).toEqual([table, table === 'log' ? '1' : '0']);
    }
    expect(server.query(`select count(*) from reactions where message_id = '${messageId}'`)).toBe(
      '0',
    );
  });
});

async function startSlowProxy(port: number, oneWayMs: number) {
  const proxy = createServer((near) => {
    const far = connectTo(port, '127.0.0.1');
    const pass = (from: Socket, to: Socket) => {
      // With Nagle's algorithm, a small segment may wait 40 ms for an acknowledgement, which looks like a round trip.
      to.setNoDelay(true);
      from.on('data', (bytes) => setTimeout(() => to.write(bytes), oneWayMs));
      from.on('close', () => to.destroy());
      from.on('error', () => to.destroy());
    };
    pass(near, far);
    pass(far, near);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port: own } = proxy.address() as AddressInfo;
  return { port: own, close: () => void proxy.close() };
}

async function connect(server: PostgresServer): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  return client;
}
