import {
  appRole,
  connectAgent,
  createAppRole,
  freezePostgres,
  holdLocks,
  startChatTraffic,
  startHubPair,
  startPostgres,
  startRedis,
  waitFor,
} from '@openclaw/test-support';
import type { Note } from './measure.ts';
import { settle, since } from './redis-faults.ts';

/** Freezes PostgreSQL under traffic, then freezes a hub within a transaction; repeats both `runs` times. */
export async function measureDatabase(runs: number, note: Note): Promise<void> {
  const [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  const pair = await startHubPair({
    HUB_DB_URL: createAppRole(postgres),
    REDIS_URL: redis.url,
    HUB_LIMIT_MESSAGE: '1000000/60',
  });
  const [frozen, other] = pair.hubs;
  const countOf = (condition: string) =>
    postgres.query(
      `select count(*) from pg_stat_activity where usename = '${appRole}' and ${condition}`,
    );

  async function freezeDatabase(run: number): Promise<void> {
    const traffic = await startChatTraffic(pair.hubs, { name: `database${run}` });
    await traffic.moreAcks(30);
    const thaw = freezePostgres(postgres);
    try {
      await waitFor(() => traffic.refusals.size > 0, { what: 'a refused send' });
    } finally {
      thaw();
    }
    await traffic.moreAcks(30);
    await settle(traffic);
    note('databaseFrozen', traffic.slowestAnswerMs);
  }

  async function freezeHub(run: number): Promise<void> {
    const channelId = `held${run}`;
    const ana = await connectAgent(frozen, 'ana');
    const ben = await connectAgent(other, 'ben');
    await ana.call('channel.create', { channelId, name: channelId });
    await ben.call('channel.join', { channelId });
    const row = `select 1 from channels where id = '${channelId}' for update`;
    const release = await holdLocks(postgres, row);
    const cut = ana.call('message.send', { channelId, content: 'cut' }).catch(() => null);
    await waitFor(() => countOf(`wait_event_type = 'Lock'`) === '1', { what: 'the waiting hub' });
    frozen.freeze();
    release();
    const heldFromMs = performance.now();
    try {
      await waitFor(
        () => ben.call('message.send', { channelId, content: 'free' }).catch(() => null),
        { what: 'a send of the other hub', timeoutMs: 20_000 },
      );
      note('locksHeld', since(heldFromMs));
    } finally {
      frozen.thaw();
    }
    await cut;
    await Promise.all([ana.close(), ben.close()]);
  }

  try {
    for (let run = 0; run < runs; run += 1) {
      await freezeDatabase(run);
      await freezeHub(run);
    }
  } finally {
    await pair.stop();
    await Promise.all([postgres.stop(), redis.stop()]);
  }
}
