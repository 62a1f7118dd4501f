import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  appRole,
  connectAgent,
  createAppRole,
  endConnections,
  freezePostgres,
  holdLocks,
  hubMetric,
  readyReport,
  restartAsStandby,
  RpcCallError,
  startChatTraffic,
  startHubPair,
  startPostgres,
  startRedis,
  untilPresenceIsWhole,
  untilRedisIs,
  untilTopicsPass,
  waitFor,
  type ChatTraffic,
} from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { openQuietChannel, type QuietChannel } from './topologies/quiet-channel.contract.ts';

/** The hub answers within 3 s; one second is added for a busy machine. */
const answerMs = 4_000;

let traffic: ChatTraffic;
let quiet: QuietChannel;
let run = 0;
let mend: (() => void | Promise<void>) | undefined;

const postgres = closeAfterAll(await startPostgres());
const redis = closeAfterAll(await startRedis());
const pair = closeAfterAll(
  await startHubPair({
    HUB_DB_URL: createAppRole(postgres),
    REDIS_URL: redis.url,
    HUB_LIMIT_MESSAGE: '100000/60',
  }),
);
await untilRedisIs('used', pair.hubs);
beforeEach(async () => {
  run += 1;
  traffic = await startChatTraffic(pair.hubs, { name: `run${run}` });
  quiet = await openQuietChannel(traffic, `quiet${run}`);
});
afterEach(async () => {
  await mend?.();
  mend = undefined;
  await traffic?.close();
});

interface Fault {
  readonly title: string;
  readonly reads: boolean;
  strike(): Promise<() => void | Promise<void>>;
}

const faults: Fault[] = [
  {
    title: 'is killed and started again',
    reads: false,
    async strike() {
      await postgres.kill();
      return () => postgres.restart();
    },
  },
  {
    title: 'is frozen and thaws',
    reads: false,
    strike: async () => freezePostgres(postgres),
  },
  {
    title: 'has closed its connections and has no free ones',
    reads: false,
    async strike() {
      postgres.query(`alter role ${appRole} connection limit 0`);
      endConnections(postgres);
      return () => void postgres.query(`alter role ${appRole} connection limit -1`);
    },
  },
  {
    title: 'takes no connections to the database for a while',
    reads: false,
    async strike() {
      const allow = (yes: boolean) =>
        postgres.query(`alter database hub with allow_connections ${yes}`, 'postgres');
      allow(false);
      endConnections(postgres);
      return () => void allow(true);
    },
  },
  {
    title: 'is a standby, which takes no writes, until it is promoted',
    reads: true,
    strike: () => restartAsStandby(postgres),
  },
];

describe('two hubs on a PostgreSQL that', () => {
  it.each(faults.map((fault) => [fault.title, fault] as const))(
    '%s: sends are refused in time, everything else continues, no acknowledged message is lost or stored twice',
    async (title, fault) => {
      await traffic.moreAcks(40);
      await quiet.fillCaches();
      const [watcher] = traffic.watchers;
      const history = async () =>
        (await watcher?.call('message.history', { channelId: `quiet${run}` })).messages as object[];

      mend = await fault.strike();
      await waitFor(() => traffic.refusals.size > 0, { what: 'a refused send', timeoutMs: 15_000 });
      const refusal = await refusedSend();
      expect(['unavailable', 'timeout']).toContain(refusal.code);
      expect(refusal.retryAfterMs ?? 0).toBeGreaterThan(refusal.code === 'timeout' ? -1 : 0);
      expect(await refusalCodes()).toEqual(expect.arrayContaining(['unavailable']));

      await untilTopicsPass(traffic);
      await untilPresenceIsWhole(traffic);
      expect(await history()).toHaveLength(3);
      for (const hub of pair.hubs) {
        // All hubs share the outage, so each stays ready and the balancer keeps it in service.
        const status = fault.reads ? 'refusing_writes' : 'down';
        await waitFor(async () => (await readyReport(hub)).database.status === status, {
          what: `a database that is ${status}`,
        });
        expect(await readyReport(hub)).toMatchObject({
          ready: true,
          degraded: true,
          redis: { status: 'ok' },
        });
        await waitFor(async () => (await hubMetric(hub, 'hub_database_up')) === 0, {
          what: 'the metric of the outage',
        });
      }

      const endedMs = performance.now();
      await mend();
      mend = undefined;
      await traffic.moreAcks(60, 20_000);
      const backMs = Math.round(performance.now() - endedMs);
      for (const hub of pair.hubs)
        await waitFor(async () => !(await readyReport(hub)).degraded, { what: 'a hub in order' });
      const violations = await traffic.stop();
      const { slowestAnswerMs } = traffic;
      process.stderr.write(
        `[recovery] ${JSON.stringify({ topology: 'PostgreSQL', fault: title, acked: traffic.ackedCount, slowestAnswerMs, backMs })}\n`,
      );
      expect(violations).toEqual([]);
      expect(slowestAnswerMs).toBeLessThan(answerMs);
      await quiet.change();
      expect(await quiet.staleReads()).toEqual([]);
    },
    90_000,
  );
});

async function refusedSend(): Promise<RpcCallError> {
  const [channelId, [writer]] = [traffic.channels[0], traffic.writers];
  return waitFor(
    () =>
      writer?.call('message.send', { channelId, content: `refused ${run}` }).then(
        () => null,
        (error: unknown) => (error instanceof RpcCallError ? error : null),
      ),
    { what: 'a refusal' },
  );
}

async function refusalCodes(): Promise<string[]> {
  const [writer] = traffic.writers;
  const channelId = `quiet${run}`;
  const calls = [
    ['message.send', { channelId, content: 'x' }],
    ['message.edit', { channelId, messageId: quiet.newest().messageId, content: 'y' }],
    ['channel.create', { name: 'z' }],
    ['read.mark', { channelId, seq: 1 }],
    ['log.read', { channelId, after: 0, limit: 10 }],
  ] as const;
  const codes = await Promise.all(
    calls.map(async ([method, params]) => {
      const startedMs = performance.now();
      const code = await writer?.call(method, params).then(
        () => 'ok',
        (error: unknown) => (error instanceof RpcCallError ? error.code : String(error)),
      );
      expect(performance.now() - startedMs).toBeLessThan(answerMs);
      return code ?? 'none';
    }),
  );
  expect(codes).not.toContain('internal');
  return codes;
}

describe('a hub that freezes in the middle of a transaction', () => {
  // The frozen hub's connection holds the lock of the channel's row and never commits. The other hub can write only
  // because PostgreSQL ends idle transactions.
  it('holds its locks on PostgreSQL for at most 3 s; then the other hub writes, and no acknowledged message is lost', async () => {
    const [frozen, other] = pair.hubs;
    const channelId = `held${run}`;
    const [ana, ben] = [await connectAgent(frozen, 'ana'), await connectAgent(other, 'ben')];
    await ana.call('channel.create', { channelId, name: 'held' });
    await ben.call('channel.join', { channelId });
    const idle = () =>
      Number(
        postgres.query(
          `select count(*) from pg_stat_activity where usename = '${appRole}' and state like 'idle in transaction%'`,
        ),
      );
    await traffic.stop();

    const release = await holdLocks(
      postgres,
      `select 1 from channels where id = '${channelId}' for update`,
    );
    const send = { channelId, content: 'held', clientMessageId: 'held' };
    const cut = ana.call('message.send', send).catch((error: unknown) => error);
    await waitFor(
      () =>
        postgres.query(
          `select count(*) from pg_stat_activity where usename = '${appRole}' and wait_event_type = 'Lock'`,
        ) === '1',
      { what: 'the hub behind the lock' },
    );
    frozen.freeze();
    release();
    const heldFromMs = performance.now();
    try {
      await waitFor(() => idle() === 1, { what: 'the abandoned transaction' });
      const sent = await waitFor(
        () =>
          ben.call('message.send', { channelId, content: 'free' }).catch((error: unknown) => {
            expect(error).toMatchObject({ code: 'unavailable', retryAfterMs: expect.any(Number) });
            return null;
          }),
        { what: 'the other hub’s send' },
      );
      const heldMs = Math.round(performance.now() - heldFromMs);
      process.stderr.write(
        `[recovery] ${JSON.stringify({ topology: 'PostgreSQL', fault: 'a hub frozen in a transaction', heldMs })}\n`,
      );
      expect(sent.seq).toBe(3);
      // Negative control: the locks were held.
      expect(heldMs).toBeGreaterThan(2_000);
      expect(heldMs).toBeLessThan(5_500);
    } finally {
      frozen.thaw();
    }
    expect(await cut).toMatchObject({ code: expect.stringMatching(/unavailable|timeout/) });
    const again = await waitFor(() => ana.call('message.send', send).catch(() => null), {
      what: 'the send, tried again',
    });
    expect(again).toMatchObject({ seq: 4, duplicate: false });
    await Promise.all([ana.close(), ben.close()]);
  }, 60_000);
});
