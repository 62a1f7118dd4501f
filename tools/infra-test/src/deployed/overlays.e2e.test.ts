import { beforeAll, describe, expect, it } from '@jest/globals';
import { connectRpc, signToken, startPostgres, waitFor } from '@openclaw/test-support';
import { suiteScope } from '@openclaw/test-support/scopes';
import { isOnPath } from '../checkers.ts';
import type { Overlay } from '../manifests.ts';
import { redisCli } from '../redis-cli.ts';
import { buildImage, type BuiltImage } from './built-image.ts';
import type { RunningContainer } from './pod-processes.ts';
import { runOverlay, type RunningOverlay } from './run-overlay.ts';

// Each overlay runs as processes on loopback. The processes are started and probed as the manifests say.
const jwtSecret = 'a-secret-of-at-least-32-characters';
const passwords = {
  REDIS_PASSWORD: 'hub-secret',
  REDIS_REPLICATION_PASSWORD: 'replication-secret',
  REDIS_EXPORTER_PASSWORD: 'exporter-secret',
  REDIS_ADMIN_PASSWORD: 'admin-secret',
};
const admin = { user: 'admin', password: passwords.REDIS_ADMIN_PASSWORD };

const describeRendered = isOnPath('kustomize') ? describe : describe.skip;
let image: BuiltImage;
beforeAll(async () => {
  image = await buildImage();
}, 1_200_000);

function started(overlay: Overlay): () => RunningOverlay {
  const scope = suiteScope();
  let running: RunningOverlay | undefined;
  beforeAll(async () => {
    const postgres = overlay === 'dev' ? null : await scope.use(startPostgres());
    running = await scope.use(
      runOverlay(overlay, {
        image,
        secrets: {
          'openclaw-hub': {
            HUB_JWT_SECRET: jwtSecret,
            ...(postgres && { HUB_DB_URL: postgres.url }),
          },
          'openclaw-redis': passwords,
        },
      }),
    );
  }, 180_000);
  return () => {
    if (!running) throw new Error(`${overlay} did not start`);
    return running;
  };
}

const connect = (hub: RunningContainer, agent: string) =>
  connectRpc(`ws://127.0.0.1:${hub.port(8080)}/v1/ws`, {
    headers: { authorization: `Bearer ${signToken(jwtSecret, agent)}` },
  });

/** Ana uses the first hub, and Ben the last one. Ben receives Ana's message over Redis, and Ana sees Ben's turn. */
async function postsAMessage(hubs: readonly RunningContainer[]): Promise<void> {
  const [first, last] = [hubs[0], hubs.at(-1)] as [RunningContainer, RunningContainer];
  for (const hub of hubs) {
    await waitFor(
      async () => {
        const report = await (await fetch(`http://127.0.0.1:${hub.port(9090)}/readyz`)).json();
        return (report as { redis: { status: string } }).redis.status === 'ok';
      },
      { what: `Redis at ${hub.name}`, timeoutMs: 30_000, everyMs: 100 },
    );
  }
  await using ana = await connect(first, 'ana');
  await using ben = await connect(last, 'ben');
  await ana.call('channel.create', { channelId: 'ops', name: 'Ops' });
  await ben.call('channel.join', { channelId: 'ops' });
  await ben.call('subscribe', { topics: [{ channelId: 'ops', since: 0 }] });
  const { messageId } = await ana.call('message.send', { channelId: 'ops', content: 'Hello' });
  await ben.event(
    ({ event }) => event.type === 'channel.message' && event.message.id === messageId,
  );
  await ben.call('turn.set', { channelId: 'ops', state: 'thinking' });
  expect(await ana.call('turn.list', { channelId: 'ops' })).toMatchObject({
    turns: [{ agentId: 'ben', state: 'thinking' }],
    degraded: false,
  });
}

function itEndsItsHubs(running: () => RunningOverlay) {
  it('ends a hub by SIGTERM within its grace period, with 0', async () => {
    const [hub] = running().named('chat-hub') as [RunningContainer];
    expect(await hub.end()).toBe(0);
  }, 40_000);
}

describeRendered('the overlay dev', () => {
  const running = started('dev');

  it('carries a message', () => postsAMessage(running().named('chat-hub')));

  it('keeps nothing of Redis on disk', async () => {
    const port = running().named('redis')[0]?.port(6379) ?? 0;
    const as = { password: passwords.REDIS_PASSWORD };
    expect(await redisCli(port, ['CONFIG', 'GET', 'appendonly'], as)).toBe('appendonly\nno');
  });
  itEndsItsHubs(running);
});

describeRendered('the overlay testing', () => {
  const running = started('testing');
  const redisPort = () => running().named('redis')[0]?.port(6379) ?? 0;

  it('carries a message between two hubs', async () => {
    expect(running().named('chat-hub')).toHaveLength(2);
    await postsAMessage(running().named('chat-hub'));
  });

  it.each([
    ['appendonly', 'yes'],
    ['appendfsync', 'everysec'],
    ['slowlog-log-slower-than', '1000'],
    ['maxmemory', String(500 * 1024 ** 2)],
    ['maxmemory-policy', 'allkeys-lru'],
  ])('has a Redis with %s %s', async (name, value) => {
    expect(await redisCli(redisPort(), ['CONFIG', 'GET', name], admin)).toBe(`${name}\n${value}`);
  });

  (isOnPath('prometheus-redis-exporter') ? it : it.skip)(
    'exports every metric that an alert reads',
    async () => {
      const [exporter] = running().named('exporter') as [RunningContainer];
      const metrics = await (await fetch(`http://127.0.0.1:${exporter.port(9121)}/metrics`)).text();
      for (const line of [
        'redis_up 1',
        'redis_evicted_keys_total 0',
        'redis_slowlog_last_id ',
        'redis_aof_enabled 1',
        'redis_aof_last_write_status 1',
      ]) {
        expect(metrics).toContain(`\n${line}`);
      }
    },
  );
  itEndsItsHubs(running);
});

describeRendered('the overlay production', () => {
  const running = started('production');

  it('carries a message between the autoscaler’s three hubs', async () => {
    expect(running().named('chat-hub')).toHaveLength(3);
    await postsAMessage(running().named('chat-hub'));
  });

  it('has a master with two replicas, and three sentinels that agree on it', async () => {
    const sentinels = running().named('sentinel');
    await waitFor(
      async () => {
        const infos = await Promise.all(
          sentinels.map((each) => redisCli(each.port(26379), ['INFO', 'sentinel'])),
        );
        return infos.every(
          (info) => info.includes('status=ok') && info.includes('slaves=2,sentinels=3'),
        );
      },
      { what: 'sentinels that know all nodes', timeoutMs: 30_000, everyMs: 200 },
    );
  }, 40_000);
  itEndsItsHubs(running);
});

describeRendered('the overlay production-cluster', () => {
  const running = started('production-cluster');

  it('carries a message between hubs over Redis Cluster', async () => {
    await postsAMessage(running().named('chat-hub'));
  }, 60_000);

  it('has three masters with a replica each, and every slot', async () => {
    const [node] = running().named('redis') as [RunningContainer];
    const info = await redisCli(node.port(6379), ['CLUSTER', 'INFO'], admin);
    expect(info).toMatch(/cluster_state:ok[^]*cluster_slots_assigned:16384/);
    const lines = (await redisCli(node.port(6379), ['CLUSTER', 'NODES'], admin)).split('\n');
    expect(lines.filter((line) => line.includes('master'))).toHaveLength(3);
    expect(lines.filter((line) => line.includes('slave'))).toHaveLength(3);
  });
  itEndsItsHubs(running);
});
