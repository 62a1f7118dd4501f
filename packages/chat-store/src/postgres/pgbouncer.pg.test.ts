import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  freePort,
  hasPgBouncer,
  startPgBouncer,
  startPostgres,
  waitFor,
  type PgBouncer,
  type PostgresServer,
} from '@openclaw/test-support';
import pg from 'pg';
import { describeChatStore } from '../chat-store.contract.ts';
import { agentOf, channelWithTwo } from '../contract/world.contract.ts';
import { createChatStore, inspectStore, type ChatStore } from '../index.ts';

const settings = ['max_client_conn = 500'];
const withPgBouncer = hasPgBouncer() ? describe : describe.skip;

withPgBouncer('behind PgBouncer in transaction mode (needs pgbouncer)', () => {
  describeChatStore('PostgreSQL behind PgBouncer', async () => {
    const server = await startPostgres();
    const bouncer = await startPgBouncer(server, { mode: 'transaction', settings });
    return {
      url: bouncer.url,
      async stop() {
        await bouncer.stop();
        await server.stop();
      },
    };
  });
});

withPgBouncer('two hubs behind PgBouncer (needs pgbouncer)', () => {
  let server: PostgresServer;
  const stores: ChatStore[] = [];
  const open = async (url: string) => {
    const store = await createChatStore({ url });
    stores.push(store);
    return store;
  };

  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await server.stop();
  });

  async function expectSends(one: ChatStore, other: ChatStore): Promise<void> {
    const worlds = await Promise.all([one, other].map((store) => channelWithTwo(store)));
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const { owner, channelId } = worlds[index % 2]!;
        return owner.outcome('message.send', { channelId, content: `${index}` });
      }),
    );
    expect(outcomes.filter((outcome) => !outcome.ok)).toEqual([]);
    for (const { owner, channelId } of worlds) {
      const seqs = (await owner.log(channelId)).map(({ seq }) => seq);
      expect(seqs).toEqual(Array.from({ length: 102 }, (_, index) => index + 1));
    }
  }

  it.each(['session', 'transaction'] as const)('send without an error in mode %s', async (mode) => {
    await using bouncer = await startPgBouncer(server, { mode, poolSize: 40, settings });
    await expectSends(await open(bouncer.url), await open(bouncer.url));
    expect(await inspectStore(bouncer.url)).toMatchObject({ engine: 'postgres' });
  });

  // A setting that stays on a shared connection would change the plans of the pooler's other clients.
  it('leave no setting and no prepared statement on the shared connections', async () => {
    await using bouncer = await startPgBouncer(server, { mode: 'transaction', poolSize: 1 });
    await expectSends(await open(bouncer.url), await open(bouncer.url));
    const client = await connect(bouncer);
    const { rows } = await client.query(
      `select current_setting('enable_seqscan') as seqscan, current_setting('lock_timeout') as locks,
         current_setting('statement_timeout') as statements,
         (select count(*)::int from pg_prepared_statements where name <> '') as prepared`,
    );
    expect(rows).toEqual([{ seqscan: 'on', locks: '0', statements: '0', prepared: 0 }]);
    await client.end();
  });

  it('would fail with statements that are prepared by name (the control)', async () => {
    await using bouncer = await startPgBouncer(server, { mode: 'transaction', poolSize: 1 });
    const [one, other] = [await connect(bouncer), await connect(bouncer)];
    await one.query({ name: 'same', text: 'select 1' });
    await expect(other.query({ name: 'same', text: 'select 1' })).rejects.toMatchObject({
      code: '42P05',
    });
    await Promise.all([one.end(), other.end()]);
  });

  // The race: the pooler's mode changes under running hubs, which have prepared their statements.
  it('go on when the mode changes from session to transaction', async () => {
    const port = await freePort();
    const options = { port, poolSize: 40, settings };
    const before = await startPgBouncer(server, { ...options, mode: 'session' });
    const [one, other] = [await open(before.url), await open(before.url)];
    await expectSends(one, other);
    await before.stop();
    await using _after = await startPgBouncer(server, {
      ...options,
      poolSize: 2,
      mode: 'transaction',
    });
    const codes: string[] = [];
    for (const agent of [agentOf(one), agentOf(other)]) {
      await waitFor(async () => {
        const code = await agent.refusal('channel.create', { name: 'x' });
        codes.push(code);
        return code === 'ok';
      });
    }
    // Each connection that ended with the first pooler may fail one call.
    expect(codes.filter((code) => !/^(ok|unavailable|timeout)$/.test(code))).toEqual([]);
    await expectSends(one, other);
  });

  it('are told which modes serve when it is in statement mode', async () => {
    await using bouncer = await startPgBouncer(server, { mode: 'statement', settings });
    await expect(createChatStore({ url: bouncer.url })).rejects.toThrow(
      /set its pool_mode to session or transaction/,
    );
  });
});

async function connect(bouncer: PgBouncer): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: bouncer.url });
  await client.connect();
  return client;
}
