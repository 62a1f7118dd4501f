import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  createAppRole,
  endConnections,
  freezePostgres,
  restartAsStandby,
  startPostgres,
  waitFor,
  type PostgresServer,
} from '@openclaw/test-support';
import pg from 'pg';
import { channelWithTwo } from '../contract/world.contract.ts';
import {
  createChatStore,
  type ChatStore,
  type ChatStoreOptions,
  type DatabaseCall,
} from '../index.ts';

describe('a chat store whose PostgreSQL fails', () => {
  let server: PostgresServer;
  const stores: ChatStore[] = [];
  const open = async (url: string, options: Partial<ChatStoreOptions> = {}) => {
    const store = await createChatStore({ url, ...options });
    stores.push(store);
    return store;
  };

  beforeAll(async () => {
    // With this default of the server, a crash would lose acknowledged commits, so the store must override it.
    server = await startPostgres(['synchronous_commit=off']);
  }, 60_000);
  afterAll(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await server.stop();
  });

  it('reports its calls and the state of its pools, and which calls the server failed', async () => {
    const own = await startPostgres();
    const calls: DatabaseCall[] = [];
    const store = await createChatStore({ url: own.url }, { onCall: (call) => calls.push(call) });
    try {
      const { channelId, owner } = await channelWithTwo(store);
      await owner.say(channelId, 'x');
      await store.heads([channelId]);
      const kinds = new Set(calls.map(({ kind }) => kind));
      expect([...kinds]).toEqual(expect.arrayContaining(['commit', 'system']));
      for (const { durationMs, failure } of calls)
        expect([durationMs > 0, failure]).toEqual([true, null]);
      expect(store.pools).toMatchObject({ reads: { waiting: 0 }, system: { waiting: 0 } });
      expect(store.pools['system']?.open).toBeGreaterThan(0);

      await own.kill();
      calls.length = 0;
      await owner.outcome('message.send', { channelId, content: 'x' });
      await store.heads([channelId]).catch(() => undefined);
      expect(calls.map(({ kind, failure }) => [kind, failure?.code])).toEqual([
        ['commit', expect.stringMatching(/^(unavailable|timeout)$/)],
        ['system', 'unavailable'],
      ]);
    } finally {
      await store.close();
      await own.stop();
    }
  });

  it('waits for no lock longer than its limit, and commits nothing of the group', async () => {
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
    await owner.write('channel.create', { name: 'Other' });
    await locker.query('rollback');
    expect((await owner.say(channelId, 'y')).seq).toBe(3);
    await locker.end();
  });

  it('has every acknowledged message after the server was killed, and continues by itself', async () => {
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

  it('answers every call in time while the server is frozen, and continues when it thaws', async () => {
    const store = await open(server.url, { timeoutMs: 800, lockTimeoutMs: 300 });
    const { channelId, owner } = await channelWithTwo(store);
    const closing = await open(server.url, { timeoutMs: 800, lockTimeoutMs: 300 });
    const thaw = freezePostgres(server);
    try {
      const startMs = performance.now();
      const answers = await Promise.all([
        owner.refusal('message.send', { channelId, content: 'x', clientMessageId: 'c1' }),
        owner.readRefusal('message.history', { channelId }),
        store.access(owner.agentId, [channelId]).catch((error: { code: string }) => error.code),
        store.beat('hub').catch((error: { code: string }) => error.code),
        store.health().then((health) => health.status),
        closing.close(),
      ]);
      expect(performance.now() - startMs).toBeLessThan(3000);
      expect(['timeout', 'unavailable']).toContain(answers[0]);
      expect(answers.slice(1, 3)).toEqual(['unavailable', 'unavailable']);
      expect(['timeout', 'unavailable']).toContain(answers[3]);
      expect(answers[4]).toBe('down');
    } finally {
      thaw();
    }
    const sent = await waitFor(async () => {
      const again = { channelId, content: 'x', clientMessageId: 'c1' };
      const outcome = await owner.outcome('message.send', again);
      return outcome.ok && outcome.result;
    });
    expect(sent.seq).toBe(3);
    expect((await owner.history(channelId)).messages).toHaveLength(1);
  });

  // A client's call checks rights and then reads. If each step had its own timeout, the client would wait for the sum.
  it('answers consecutive calls within one timeout in total while the server is frozen', async () => {
    const store = await open(server.url, { timeoutMs: 1000, lockTimeoutMs: 300 });
    const { channelId, owner } = await channelWithTwo(store);
    const thaw = freezePostgres(server);
    try {
      const startMs = performance.now();
      for (let calls = 0; calls < 4; calls += 1) {
        await expect(store.access(owner.agentId, [channelId])).rejects.toMatchObject({
          code: 'unavailable',
          retryAfterMs: expect.any(Number),
        });
      }
      expect(await owner.refusal('message.send', { channelId, content: 'x' })).toBe('unavailable');
      expect(performance.now() - startMs).toBeLessThan(1900);
    } finally {
      thaw();
    }
    await waitFor(
      async () => (await owner.outcome('message.send', { channelId, content: 'x' })).ok,
    );
  });

  // The fault: a standby refuses BEGIN … READ WRITE as an unsupported feature, so senders got `internal` and did not
  // retry.
  it('is unavailable for writes on a standby, reads there, and continues when it is promoted', async () => {
    const store = await open(server.url);
    const { channelId, owner } = await channelWithTwo(store);
    const promote = await restartAsStandby(server);
    try {
      const refused = await waitFor(async () => {
        const outcome = await owner.outcome('message.send', { channelId, content: 'x' });
        // The first call may use the connection that the restart closed.
        return !outcome.ok && outcome.message.includes('no writes') && outcome;
      });
      expect(refused).toMatchObject({ code: 'unavailable', retryAfterMs: expect.any(Number) });
      await expect(store.beat('hub')).rejects.toMatchObject({ code: 'unavailable' });
      expect((await owner.history(channelId)).head).toBe(2);
      expect(await store.health()).toMatchObject({ status: 'ok' });
    } finally {
      promote();
    }
    const sent = await waitFor(async () => {
      const outcome = await owner.outcome('message.send', { channelId, content: 'x' });
      return outcome.ok && outcome.result;
    });
    expect(sent.seq).toBe(3);
  });

  // The fault: PostgreSQL's 55000 ("not now") did not count as an outage, so callers got `internal`.
  it.each([
    [
      'the database takes no connections',
      'alter database hub with allow_connections',
      'false',
      'true',
    ],
    ['its user has no connection left', 'alter role app connection limit', '0', '-1'],
  ])('is unavailable while %s', async (_why, change, off, on) => {
    const url =
      server.query(`select count(*) from pg_roles where rolname = 'app'`) === '0'
        ? createAppRole(server)
        : server.url.replace('hub@', 'app@');
    server.query('grant all on all tables in schema public to app');
    const store = await open(url);
    const { channelId, owner } = await channelWithTwo(store);
    server.query(`${change} ${off}`, 'postgres');
    endConnections(server);
    try {
      const codes = new Set<string>();
      await waitFor(async () => {
        const outcome = await owner.outcome('message.send', { channelId, content: 'x' });
        if (!outcome.ok) codes.add(outcome.code);
        codes.add((await owner.readRefusal('channel.get', { channelId })) ?? 'none');
        return codes.has('unavailable');
      });
      expect(codes).not.toContain('internal');
      expect(await owner.refusal('message.send', { channelId, content: 'x' })).toBe('unavailable');
      expect(await owner.readRefusal('channel.get', { channelId })).toBe('unavailable');
    } finally {
      server.query(`${change} ${on}`, 'postgres');
    }
    await waitFor(
      async () => (await owner.outcome('message.send', { channelId, content: 'x' })).ok,
    );
  });
});

async function connect(server: PostgresServer): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  return client;
}
