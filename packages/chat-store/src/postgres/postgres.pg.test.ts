import { connect as connectTo, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort, startPostgres, waitFor, type PostgresServer } from '@openclaw/test-support';
import pg from 'pg';
import { agentOf, channelWithTwo, uniqueId } from '../contract/world.contract.ts';
import { createChatStore, type ChatStore, type ChatStoreOptions } from '../index.ts';

describe('a chat store on PostgreSQL', () => {
  let server: PostgresServer;
  const stores: ChatStore[] = [];
  const open = async (url: string, options: Partial<ChatStoreOptions> = {}) => {
    const store = await createChatStore({ url, ...options });
    stores.push(store);
    return store;
  };
  const refusal = (url: string) =>
    open(url).then(
      () => ({ code: 'opened', message: '' }),
      (error: { code: string; message: string }) => error,
    );

  beforeAll(async () => {
    // A server whose own default would lose what was acknowledged.
    server = await startPostgres(['synchronous_commit=off', 'deadlock_timeout=200ms']);
  }, 60_000);
  afterAll(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await server.stop();
  });

  it('migrates once when four hubs start at once on an empty database', async () => {
    const four = await Promise.all([1, 2, 3, 4].map(() => open(server.url)));
    expect(new Set(four.map((store) => store.epoch)).size).toBe(1);
    expect(server.query('select count(*) from chat_store_migrations')).toBe('1');
  });

  it('says who refused it, and no secret', async () => {
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

  it('waits for no lock longer than its bound, and takes nothing of the group', async () => {
    const store = await open(server.url, { lockTimeoutMs: 300, timeoutMs: 1500 });
    const { channelId, owner } = await channelWithTwo(store);
    const locker = await connect(server);
    await locker.query('begin');
    await locker.query('select * from channels where id = $1 for update', [channelId]);
    const startMs = performance.now();
    const refused = await owner.outcome('message.send', { channelId, content: 'x' });
    expect(refused).toMatchObject({
      ok: false,
      code: 'unavailable',
      retryAfterMs: expect.any(Number),
    });
    expect(performance.now() - startMs).toBeLessThan(1500);
    // Others are not held up.
    await owner.write('channel.create', { name: 'Other' });
    await locker.query('rollback');
    expect((await owner.say(channelId, 'y')).seq).toBe(3);
    await locker.end();
  });

  // Race: a transaction takes its mark early and commits late. Invariant: a watcher that asked in between still finds
  // it; marks that were times or plain counts would have passed it by.
  it('finds a change whose transaction was still open when others were found', async () => {
    const store = await open(server.url);
    const { channelId, owner } = await channelWithTwo(store);
    const late = await channelWithTwo(store);
    let { mark } = await store.changes(null);
    const slow = await connect(server);
    await slow.query('begin');
    await slow.query(
      `update channels set head = 99, touched = pg_current_xact_id()::text::bigint where id = $1`,
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
    expect((await store.changes(mark)).heads).toContainEqual({
      channelId: late.channelId,
      head: 99,
    });
  });

  it('makes the same direct channels on two hubs at once, in whatever order they come', async () => {
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

  it('runs a group again that lost a deadlock', async () => {
    const store = await open(server.url);
    const { channelId, owner } = await channelWithTwo(store);
    const wanted = uniqueId('wanted');
    const rival = await connect(server);
    // The rival waits longer before it looks for a deadlock: the store's group is the one that is rolled back.
    await rival.query(`set deadlock_timeout = '60s'`);
    await rival.query('begin');
    await rival.query(
      `insert into channels (id, kind, name, created_by, created_at, head, touched)
       values ($1, 'public', 'x', 'x', 0, 0, 0)`,
      [wanted],
    );
    const group = Promise.all([
      owner.say(channelId, 'x'),
      owner.write('channel.create', { channelId: wanted, name: 'Mine' }),
    ]);
    await waitFor(() => server.query(`select count(*) from pg_locks where not granted`) === '1');
    // That it gets this lock shows that the group, which held it and waited for the rival, was rolled back.
    await rival.query('select * from channels where id = $1 for update', [channelId]);
    await rival.query('rollback');
    await rival.end();
    const [said, created] = await group;
    expect([said.seq, created.channel.head]).toEqual([3, 1]);
  });

  it('has every acknowledged message after the server was killed, and goes on by itself', async () => {
    const store = await open(server.url);
    const { channelId, owner } = await channelWithTwo(store);
    let last = 0;
    let isKilled = false;
    const codes = new Set<string>();
    const writing = (async () => {
      for (let i = 0; codes.size === 0; i++) {
        const outcome = await owner.outcome('message.send', { channelId, content: `${i}` });
        if (outcome.ok) last = outcome.result.seq;
        else codes.add(outcome.code);
        if (last > 60 && !isKilled) {
          isKilled = true;
          void server.kill();
        }
      }
    })();
    await writing;
    expect([['unavailable'], ['timeout']]).toContainEqual([...codes]);
    expect(await owner.readRefusal('channel.get', { channelId })).toBe('unavailable');
    expect(await store.health()).toMatchObject({ status: 'down', latencyMs: null });
    await expect(store.changes(null)).rejects.toMatchObject({
      name: 'ChatStoreError',
      code: 'unavailable',
    });

    await server.restart();
    const next = await waitFor(async () => {
      const outcome = await owner.outcome('message.send', { channelId, content: 'after' });
      return outcome.ok && outcome.result;
    });
    expect(next.seq).toBeGreaterThan(last);
    const log = await owner.log(channelId);
    expect(log.map((event) => event.seq)).toEqual(log.map((_event, index) => index + 1));
    expect(log.length).toBe(next.seq);
    expect(await store.health()).toMatchObject({ status: 'ok' });
  });

  it('answers every call in time while the server is frozen, and goes on when it thaws', async () => {
    const store = await open(server.url, { timeoutMs: 800, lockTimeoutMs: 300 });
    const { channelId, owner } = await channelWithTwo(store);
    const thaw = freeze(server);
    const startMs = performance.now();
    const answers = await Promise.all([
      owner.refusal('message.send', { channelId, content: 'x', clientMessageId: 'c1' }),
      owner.readRefusal('message.history', { channelId }),
      store.access(owner.agentId, [channelId]).catch((error: { code: string }) => error.code),
      store.beat('hub').catch((error: { code: string }) => error.code),
      store.health().then((health) => health.status),
    ]);
    expect(performance.now() - startMs).toBeLessThan(1500);
    expect(['timeout', 'unavailable']).toContain(answers[0]);
    expect(answers.slice(1, 3)).toEqual(['unavailable', 'unavailable']);
    expect(['timeout', 'unavailable']).toContain(answers[3]);
    expect(answers[4]).toBe('down');
    thaw();
    const sent = await waitFor(async () => {
      const again = { channelId, content: 'x', clientMessageId: 'c1' };
      const outcome = await owner.outcome('message.send', again);
      return outcome.ok && outcome.result;
    });
    expect(sent.seq).toBe(3);
    expect((await owner.history(channelId)).messages).toHaveLength(1);
  });
});

// The server's every process: those that serve a connection are not its first one.
function freeze(server: PostgresServer): () => void {
  const pids = server.query('select pid from pg_stat_activity').split('\n').map(Number);
  const signal = (name: NodeJS.Signals) => {
    for (const pid of pids) {
      try {
        process.kill(pid, name);
      } catch {
        // The one that answered the query has ended.
      }
    }
  };
  server.freeze();
  signal('SIGSTOP');
  return () => {
    signal('SIGCONT');
    server.thaw();
  };
}

/** Passes bytes on, each `oneWayMs` late. */
async function startSlowProxy(port: number, oneWayMs: number) {
  const proxy = createServer((near) => {
    const far = connectTo(port, '127.0.0.1');
    const pass = (from: Socket, to: Socket) => {
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
