import { beforeEach, describe, expect, it } from '@jest/globals';
import type { RedisClient } from '@openclaw/redis-client';
import { waitFor } from '@openclaw/test-support';
import {
  createPresence,
  createRedisLeaseStore,
  type PresenceTracker,
  type PresenceTrackerOptions,
} from '../index.ts';
import { createRedisBench } from '../testing/redis-bench.ts';
import { trackerContract } from './tracker.contract.ts';

const online = { status: 'online', customStatus: null, avatar: null } as const;
const dnd = { status: 'dnd', customStatus: 'Deploying', avatar: null } as const;
const here = (agentId: string, sessionId = `${agentId}-1`) => ({ agentId, sessionId });

interface Told {
  readonly hub: string;
  readonly channelId: string;
  readonly agentId: string;
  readonly status: string;
  readonly degraded: boolean;
  readonly atMs: number;
}

const bench = createRedisBench('file');
let told: Told[];
beforeEach(() => {
  told = [];
});

async function startHub(
  hubId: string,
  options: PresenceTrackerOptions = {},
): Promise<{ presence: PresenceTracker; redis: RedisClient }> {
  const redis = await bench.connect();
  const presence = createPresence(
    { redis, keys: bench.keys },
    { hubId, leaseMs: 1500, heartbeatMs: 500, reapMs: 50, ...options },
  );
  bench.defer(() => presence.close());
  presence.onChange((channelId, { agentId, status }, { degraded }) => {
    told.push({ hub: hubId, channelId, agentId, status, degraded, atMs: Date.now() });
  });
  return { presence, redis };
}
const toldOf = (agentId: string) =>
  told.filter((one) => one.agentId === agentId).map(({ hub, status }) => `${hub} ${status}`);

trackerContract('on Redis under the default names', () => {
  return createPresence({ redis: bench.open() });
});

describe('presence over several hubs', () => {
  it('Presence tracking (join → heartbeat → leave): each change is announced once, by one hub', async () => {
    const [{ presence: one }, { presence: two }] = await Promise.all([
      startHub('hub-1'),
      startHub('hub-2'),
    ]);
    await one.track('c', here('a'));
    await two.track('c', here('a', 'a-2'));
    await two.track('c', here('b'));
    await one.set(here('a'), dnd);
    await two.set(here('a', 'a-2'), dnd);
    expect((await two.list('c')).presences).toMatchObject([
      { agentId: 'a', ...dnd },
      { agentId: 'b', ...online },
    ]);
    const { lastSeen } = (await one.get('c', 'b')).presence!;
    await waitFor(async () => (await one.get('c', 'b')).presence!.lastSeen > lastSeen + 4500);
    expect(await one.list('c')).toMatchObject({ count: 3, degraded: false });

    await one.untrackAll(here('a'));
    await two.untrackAll(here('a', 'a-2'));
    expect(toldOf('a')).toEqual(['hub-1 online', 'hub-1 dnd', 'hub-2 offline']);
    expect(toldOf('b')).toEqual(['hub-2 online']);
    expect(told.every(({ degraded }) => !degraded)).toBe(true);
  });

  it('reports the agents of a killed hub offline once, within their lease and a second', async () => {
    const [{ presence: one }, { presence: two }, { presence: killed, redis }] = await Promise.all([
      startHub('hub-1'),
      startHub('hub-2'),
      startHub('killed'),
    ]);
    await one.track('c', here('a'));
    await two.track('c', here('b'));
    await killed.track('c', here('b', 'b-2'));
    await Promise.all(Array.from({ length: 50 }, (_, n) => killed.track('c', here(`ghost-${n}`))));
    await redis.close();
    const killedMs = Date.now();
    const ghosts = () => told.filter(({ hub, status }) => hub !== 'killed' && status === 'offline');
    await waitFor(() => ghosts().length >= 50);
    expect(new Set(ghosts().map(({ agentId }) => agentId)).size).toBe(50);
    for (const { atMs } of ghosts()) expect(atMs - killedMs).toBeLessThanOrEqual(2500);
    expect((await one.list('c')).presences.map(({ agentId }) => agentId)).toEqual(['a', 'b']);
    // If a hub reported a ghost twice, the second report would arrive before the reports of these leaves.
    await one.untrackAll(here('a'));
    await two.untrackAll(here('b'));
    expect(toldOf('b')).toEqual(['hub-2 online', 'hub-2 offline']);
    expect(ghosts()).toHaveLength(52);
  });

  it('reaps a channel that it only watches', async () => {
    const { presence, redis } = await startHub('hub-1');
    const other = createRedisLeaseStore({ redis, keys: bench.keys }, { leaseMs: 100 });
    const stop = presence.watch('c');
    await other.join('c', { ...here('a'), hubId: 'elsewhere' });
    await waitFor(() => toldOf('a').length > 0);
    expect(toldOf('a')).toEqual(['hub-1 offline']);
    stop();
    stop();
  });

  it('learns a state set by another hub with its heartbeat, and restores it after a wipe', async () => {
    const [{ presence: one, redis }, { presence: two }] = await Promise.all([
      startHub('hub-1'),
      startHub('hub-2'),
    ]);
    await one.track('c', here('a'), { status: 'away' });
    await two.track('c', here('a', 'a-2'));
    await two.set(here('a', 'a-2'), dnd);
    await two.untrackAll(here('a', 'a-2'));
    const { lastSeen } = (await one.get('c', 'a')).presence!;
    await waitFor(async () => (await one.get('c', 'a')).presence!.lastSeen > lastSeen);
    told = [];
    await redis.send(['flushall']);
    expect((await one.get('c', 'a')).presence).toBeNull();
    await waitFor(async () => (await one.get('c', 'a')).presence);
    expect((await one.get('c', 'a')).presence).toMatchObject(dnd);
    expect(told).toEqual([]);
  });

  // The race: a heartbeat writes an agent's lease before the agent's join is sent. So the join finds the agent already
  // present.
  it('announces a join once although a heartbeat starts before it is sent', async () => {
    const redis = await bench.connect();
    let beat: (available: boolean) => void = () => {};
    const onAvailability: RedisClient['onAvailability'] = (listener) => {
      beat = listener;
      return () => undefined;
    };
    const presence = createPresence(
      { redis: { ...redis, available: true, onAvailability }, keys: bench.keys },
      { hubId: 'hub-1' },
    );
    bench.defer(() => presence.close());
    presence.onChange((channelId, { agentId, status }, { degraded }) => {
      told.push({ hub: 'hub-1', channelId, agentId, status, degraded, atMs: Date.now() });
    });
    const joined = presence.track('c', here('a'));
    beat(true);
    expect((await joined).record).toMatchObject({ agentId: 'a', ...online });
    // Negative control: after the join's answer, a heartbeat renews the lease.
    const { lastSeen } = (await presence.get('c', 'a')).presence!;
    await waitFor(async () => {
      beat(true);
      return (await presence.get('c', 'a')).presence!.lastSeen > lastSeen;
    });
    expect(toldOf('a')).toEqual(['hub-1 online']);
  });

  it('sends a storm of joins and leaves in a few round trips', async () => {
    const { presence, redis } = await startHub('hub-1', {
      ...{ leaseMs: 60_000, heartbeatMs: 20_000, reapMs: 60_000 },
    });
    const pipeline = redis.pipeline.bind(redis);
    let pipelines = 0;
    redis.pipeline = (calls) => {
      pipelines += 1;
      return pipeline(calls);
    };
    const agents = Array.from({ length: 2000 }, (_, n) => here(`a${n}`));
    await Promise.all(agents.map((agent, n) => presence.track(`c${n % 20}`, agent)));
    expect(pipelines).toBe(8);
    expect(told).toHaveLength(2000);
    pipelines = 0;
    await Promise.all(agents.map((agent) => presence.set(agent, dnd)));
    expect(pipelines).toBe(8);
    pipelines = 0;
    await Promise.all(agents.map((agent) => presence.untrackAll(agent)));
    expect(pipelines).toBe(8);
    expect(told).toHaveLength(6000);
    expect((await presence.list('c0')).count).toBe(0);
  });

  it('leaves no keys behind when it closes', async () => {
    const { presence, redis } = await startHub('hub-1');
    await Promise.all(Array.from({ length: 1200 }, (_, n) => presence.track('c', here(`a${n}`))));
    await presence.close();
    expect(told.filter(({ status }) => status === 'offline')).toHaveLength(1200);
    const left = [
      'exists',
      bench.keys.roster('c'),
      bench.keys.rosterAgents('c'),
      bench.keys.presence('c', 'a0'),
    ];
    expect(await redis.send(left as [string])).toBe(0);
  });

  // The race: connections end in the turn in which the tracker closes, and their leaves are not sent yet. Invariant:
  // each agent is announced offline at once, not when its lease expires.
  it('sends the waiting leaves before it closes', async () => {
    const { presence, redis } = await startHub('hub-1');
    await Promise.all(Array.from({ length: 20 }, (_, n) => presence.track('c', here(`a${n}`))));
    const left = Array.from({ length: 20 }, (_, n) => presence.untrackAll(here(`a${n}`)));
    await presence.close();
    expect(told.filter(({ status }) => status === 'offline')).toHaveLength(20);
    expect(told.every(({ degraded }) => !degraded)).toBe(true);
    expect(await redis.send(['exists', bench.keys.roster('c')])).toBe(0);
    await Promise.all(left);
  });
});
