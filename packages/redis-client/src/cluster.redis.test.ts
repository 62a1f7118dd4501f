import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createKeySchema, type KeySchema } from '@openclaw/key-schema';
import keySlot from 'cluster-key-slot';
import { Cluster } from 'ioredis';
import {
  moveSlotHalfWay,
  randomPrefix,
  startCluster,
  waitFor,
  type ClusterDeployment,
} from '@openclaw/test-support';
import { defineScript, type RedisClient, type ScriptCall } from './index.ts';
import { clientsOfTest, timed, untilUp } from './testing/clients.ts';

let deployment: ClusterDeployment;
let keys: KeySchema;
const clients = clientsOfTest();
const rooms = Array.from({ length: 20 }, (_, n) => `room${n}`);

beforeAll(async () => {
  deployment = await startCluster();
}, 60_000);
beforeEach(() => {
  keys = createKeySchema({ prefix: randomPrefix(), hashTags: true });
});
afterAll(() => deployment.stop());

const connect = () => clients.connect({ cluster: deployment.nodes.slice(0, 2) });

/** ioredis' defaults, except for sharded pub/sub. */
async function connectTheirs(): Promise<Cluster> {
  const nodes = deployment.nodes.map(({ host, port }) => ({ host, port }));
  const theirs = new Cluster(nodes, { shardedSubscribers: true });
  theirs.on('error', () => undefined);
  await waitFor(() => theirs.status === 'ready');
  return theirs;
}

async function listenToRooms(redis: RedisClient): Promise<string[]> {
  const heard: string[] = [];
  await Promise.all(
    rooms.map((room) =>
      redis.subscriber.subscribe(keys.channelTopic(room), (message) => heard.push(message)),
    ),
  );
  return heard;
}

const publishToRooms = (redis: RedisClient, text: string) =>
  redis.pipeline(
    rooms.map((room) => ['SPUBLISH', keys.channelTopic(room), `${room} ${text}`] as const),
  );

describe('Redis Cluster', () => {
  it('reports the health of all its masters', async () => {
    const redis = await connect();
    const health = await redis.health();
    expect(health).toMatchObject({
      mode: 'cluster',
      status: 'ok',
      role: 'master',
      runId: null,
      maxMemoryBytes: 0,
    });
    expect(health.usedMemoryBytes).toBeGreaterThan(3_000_000);
  });

  it('replaces all subscriber connections on reconnect(), even those that answer', async () => {
    const redis = await connect();
    const heard = await listenToRooms(redis);
    let resubscribed = 0;
    redis.subscriber.onResubscribed(() => (resubscribed += 1));
    redis.subscriber.reconnect();
    await waitFor(() => resubscribed > 0 && redis.subscriber.connected);
    expect((await redis.health()).subscriber.reconnects).toBeGreaterThan(0);
    await publishToRooms(redis, 'again');
    await waitFor(() => heard.length === rooms.length);
    expect(heard.sort()).toEqual(rooms.map((room) => `${room} again`).sort());
  });

  it('works on a Cluster that the caller created, and leaves it open', async () => {
    const theirs = await connectTheirs();
    const redis = await clients.connect({ connection: theirs });
    const heard = await listenToRooms(redis);
    await publishToRooms(redis, 'theirs');
    await waitFor(() => heard.length === rooms.length);
    expect(await redis.health()).toMatchObject({ status: 'ok', mode: 'cluster' });
    await redis.close();
    await expect(redis.send(['PING'])).rejects.toMatchObject({ code: 'closed' });
    expect(await theirs.set(keys.sequence('room0'), 1)).toBe('OK');
    theirs.disconnect();
  });

  it('computes slots as the server does', async () => {
    const redis = await connect();
    for (const key of ['a', 'openclaw:{room}:x', '{}a', 'a{b', 'a}b{c}', '{ü}', '', '{a}{b}']) {
      expect(await redis.send(['CLUSTER', 'KEYSLOT', key])).toBe(keySlot(key));
    }
  });

  it('sends each call of a pipeline to its slot, and keeps the order of the replies', async () => {
    const redis = await connect();
    const add = defineScript('add', "return redis.call('INCRBY', KEYS[1], ARGV[1])");
    const calls = rooms.flatMap((room, n) => [
      ['SET', keys.sequence(room), n] as const,
      { script: add, keys: [keys.sequence(room)], args: [100] } satisfies ScriptCall,
    ]);
    expect(await redis.pipeline(calls)).toEqual(rooms.flatMap((_, n) => ['OK', n + 100]));
    expect(await redis.send(['GET', keys.sequence('room7')])).toBe('107');
    expect(await redis.run({ script: add, keys: [keys.sequence('room7')], args: [1] })).toBe(108);
  });

  it('delivers sharded pub/sub for topics of every master, and refuses patterns as `unsupported`', async () => {
    const redis = await connect();
    const heard = await listenToRooms(redis);
    await publishToRooms(redis, '1');
    await waitFor(() => heard.length === rooms.length);
    expect(heard.sort()).toEqual(rooms.map((room) => `${room} 1`).sort());
    await expect(
      redis.subscriber.subscribePattern(keys.channelPattern, () => undefined),
    ).rejects.toMatchObject({ code: 'unsupported' });
  });

  // Because of these refusals, names have hash tags and each command uses one slot.
  it('refuses a channel’s keys in one script and its topics in one subscription without hash tags (the control)', async () => {
    const redis = await connect();
    const bare = createKeySchema({ prefix: randomPrefix() });
    const both = defineScript('bare', 'return 1');
    const args: ScriptCall['args'] = [];
    await expect(
      redis.run({ script: both, keys: [bare.sequence('c'), bare.channel('c')], args }),
    ).rejects.toMatchObject({ code: 'rejected', message: expect.stringContaining('CROSSSLOT') });
    expect(
      await redis.run({ script: both, keys: [keys.sequence('c'), keys.channel('c')], args }),
    ).toBe(1);
    const theirs = await connectTheirs();
    const topics = rooms.slice(0, 2).map((room) => keys.channelTopic(room));
    await expect(theirs.ssubscribe(...topics)).rejects.toThrow(/CROSSSLOT|slot/);
    theirs.disconnect();
  });

  it('follows a slot that moves: commands at once, subscriptions within 2 s', async () => {
    const redis = await connect();
    const heard = await listenToRooms(redis);
    await redis.send(['SET', keys.sequence('room0'), 1]);
    let resubscribed = 0;
    redis.subscriber.onResubscribed(() => (resubscribed += 1));
    await deployment.moveSlotOf(keys.sequence('room0'));
    expect(await redis.send(['INCR', keys.sequence('room0')])).toBe(2);
    expect(
      await redis.pipeline([
        ['INCR', keys.sequence('room0')],
        ['INCR', keys.sequence('room0')],
      ]),
    ).toEqual([3, 4]);
    const { ms } = await timed(waitFor(() => resubscribed > 0 && redis.subscriber.connected));
    expect(ms).toBeLessThan(2000);
    heard.length = 0;
    await publishToRooms(redis, '2');
    await waitFor(() => heard.length === rooms.length);
  });

  // The fault: TRYAGAIN, which concerns one slot of a healthy server, counted as an outage. A busy channel in a moving
  // slot opened the breaker for all channels.
  it('stays in use for all other slots while one slot is moving to another master', async () => {
    const redis = await connect();
    const [first, second] = [keys.channelMembers('halfway'), keys.sequence('halfway')];
    await redis.pipeline([
      ['SET', first, 1],
      ['SET', second, 1],
    ]);
    const changes: boolean[] = [];
    redis.onAvailability((available) => changes.push(available));
    const both = defineScript('both', "return redis.call('MGET', KEYS[1], KEYS[2])");
    const call: ScriptCall = { script: both, keys: [first, second], args: [] };
    const slot = await moveSlotHalfWay(deployment, second);
    expect(slot).toMatchObject({ moved: 1, stayed: 1 });
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => redis.run(call)));
    expect(outcomes).toEqual(
      outcomes.map(() => ({
        status: 'rejected',
        reason: expect.objectContaining({
          code: 'unavailable',
          message: expect.stringMatching(/TRYAGAIN|MOVED/),
        }),
      })),
    );
    const [piped] = await redis.pipeline([call]);
    expect(piped).toMatchObject({ code: 'unavailable' });
    expect(await redis.send(['SET', keys.sequence('room4'), 1])).toBe('OK');
    await slot.finish();
    expect(await redis.run(call)).toEqual(['1', '1']);
    expect(changes).toEqual([]);
  });

  it.each([
    ['killed', 'kill'],
    ['frozen', 'freeze'],
  ] as const)(
    'continues after the failover of a %s master',
    async (_how, fail) => {
      const redis = await connect();
      const heard = await listenToRooms(redis);
      const room = fail === 'kill' ? 'room1' : 'room2';
      const key = keys.sequence(room);
      // The control: a client with the defaults of ioredis.
      const theirs = await connectTheirs();
      const theyHeard: string[] = [];
      theirs.on('smessage', (_topic: string, message: string) => theyHeard.push(message));
      await theirs.ssubscribe(keys.channelTopic(room));
      await publishToRooms(redis, 'before');
      await waitFor(() => theyHeard.length > 0 && heard.length === rooms.length);
      const old = await deployment.masterOf(key);
      await old[fail]();
      const down = await timed(waitFor(() => !redis.available));
      expect(down.ms).toBeLessThan(1500);
      await deployment.failedOver(key, old);
      const { ms } = await timed(untilUp(redis));
      expect(ms).toBeLessThan(5000);
      await redis.send(['SET', key, 1]);
      heard.length = 0;
      await publishToRooms(redis, '3');
      await waitFor(() => heard.length === rooms.length);
      if (fail === 'freeze') {
        // The control still listens to the frozen master, and reports "ready".
        expect({ status: theirs.status, theyHeard }).toEqual({
          status: 'ready',
          theyHeard: [`${room} before`],
        });
      }
      theirs.disconnect();
      if (fail === 'kill') await old.restart();
      else old.thaw();
      await waitFor(
        async () => (await old.command('INFO replication')).includes('master_link_status:up'),
        {
          timeoutMs: 20_000,
        },
      );
    },
    60_000,
  );
});
