import { spawnSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { startRedis, waitFor } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { startTestHub } from '../testing/test-hub.ts';

const redis = closeAfterAll(await startRedis());
const hub = closeAfterAll(
  await startTestHub({
    REDIS_URL: redis.url,
    HUB_LIMIT_REACTION: '1/60',
    HUB_OPS_PORT: '0',
    LOG_LEVEL: 'silent',
  }),
);
const channelId = 'team';

async function scrape(): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${hub.opsUrl}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith('hub_'));
  return new Map(
    lines.map((line) => {
      const end = line.lastIndexOf(' ');
      return [line.slice(0, end), Number(line.slice(end + 1))];
    }),
  );
}

async function risesOf(names: readonly string[], work: () => Promise<unknown>): Promise<number[]> {
  const before = await scrape();
  for (const name of names) expect([name, before.has(name)]).toEqual([name, true]);
  await work();
  const after = await scrape();
  return names.map((name) => (after.get(name) ?? NaN) - (before.get(name) ?? NaN));
}

beforeAll(async () => {
  await waitFor(() => hub.redis.available, { what: 'Redis' });
  await hub.request('ana', 'POST', '/v1/call/channel.create', { channelId, name: 'Team' });
});

describe('the metrics of a running hub', () => {
  it('pass promtool', async () => {
    const input = await (await fetch(`${hub.opsUrl}/metrics`)).text();
    const { error, status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input,
      encoding: 'utf8',
    });
    if (error) {
      // eslint-disable-next-line no-console -- says why the check did not run
      console.log('promtool is not installed (Debian: prometheus); the check is skipped');
      return;
    }
    expect(stdout + stderr).toBe('');
    expect(status).toBe(0);
  });

  it('add no series while it runs', async () => {
    const before = [...(await scrape()).keys()];
    await using ana = await hub.connect('ana');
    await ana.call('message.send', { channelId, content: 'x' });
    await ana.call('no.such', {}).catch(() => undefined);
    await hub.request('ana', 'POST', '/v1/call/no.such', {});
    await hub.request('no agent', 'GET', '/v1/channels');
    ana.ws.close(4777, 'mine');
    await ana.closed;
    expect([...(await scrape()).keys()]).toEqual(before);
  });

  it('count sign-ins by result over both transports', async () => {
    const names = ['ws', 'rest'].flatMap((transport) =>
      ['ok', 'unauthorized'].map(
        (result) => `hub_sign_ins_total{transport="${transport}",result="${result}"}`,
      ),
    );
    const rises = await risesOf(names, async () => {
      await using ana = await hub.connect('ana');
      await ana.call('ping', {});
      await hub.connect('not an id', { waitForWelcome: false }).then(
        (socket) => socket.closed,
        () => undefined,
      );
      await hub.request('ana', 'GET', '/v1/channels');
      await hub.request('not an id', 'GET', '/v1/channels');
    });
    expect(rises).toEqual([1, 1, 1, 1]);
  });

  it('count refusals by limit, resumes, commits and round trips', async () => {
    const names = [
      'hub_limited_calls_total{action="reaction"}',
      'hub_resumes_total{resumed="true"}',
      'hub_resumes_total{resumed="false"}',
      'hub_commit_group_size_count',
      'hub_commit_group_size_sum',
      'hub_commit_seconds_count',
      'hub_database_call_seconds_count{kind="commit"}',
      'hub_database_call_seconds_count{kind="look_up"}',
      'hub_redis_round_trip_seconds_count',
    ];
    const rises = await risesOf(names, async () => {
      await using ana = await hub.connect('ana');
      const { messageId } = await ana.call('message.send', { channelId, content: 'x' });
      for (const emoji of ['a', 'b', 'c'])
        await ana.call('reaction.add', { channelId, messageId, emoji }).catch(() => undefined);
      await ana.call('subscribe', { topics: [{ channelId, since: 1 }] });
      await ana.call('unsubscribe', { channelIds: [channelId] });
      await ana.call('subscribe', { topics: [{ channelId, since: 999 }] });
    });
    expect(rises.slice(0, 4)).toEqual([2, 1, 1, 2]);
    expect(rises.slice(3, 7)).toEqual([2, 2, 2, 2]);
    for (const rise of rises.slice(7)) expect(rise).toBeGreaterThan(0);
  });

  it('say what the hub is and which state its parts are in', async () => {
    const ones = await waitFor(async () => {
      const series = await scrape();
      const found = [...series].filter(([, value]) => value === 1).map(([name]) => name);
      return found.includes('hub_publish_path_up') && found;
    });
    expect(ones).toEqual(
      expect.arrayContaining([
        'hub_build_info{version="0.1.0"}',
        'hub_state{state="serving"}',
        'hub_database_up',
        'hub_redis_available',
        'hub_redis_state{state="in_use"}',
        'hub_redis_breaker_state{state="closed"}',
      ]),
    );
    expect(ones.filter((name) => /^hub_(state|redis_state|redis_breaker)/.test(name))).toHaveLength(
      3,
    );
    // The first scrapes may report 0, because a scrape does not wait for a slow Redis.
    await waitFor(
      async () => ((await scrape()).get('hub_redis_used_memory_bytes') ?? 0) > 100_000,
      {
        what: 'the memory of Redis',
      },
    );
    const series = await scrape();
    expect(series.get('hub_unsent_limit_bytes')).toBeGreaterThan(1_000_000);
    await waitFor(
      async () => ((await scrape()).get('hub_event_loop_delay_seconds_count') ?? 0) > 10,
      { what: 'samples of the event loop' },
    );
    await waitFor(
      async () => ((await scrape()).get('hub_publish_path_probes_total{outcome="back"}') ?? 0) > 0,
      { what: 'a probe' },
    );
  });
});
