import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createKeySchema } from '@openclaw/key-schema';
import { Redis } from 'ioredis';
import {
  randomPrefix,
  startSentinel,
  waitFor,
  type SentinelDeployment,
} from '@openclaw/test-support';
import { clientsOfTest, recordingLogger, timed, untilUp } from './testing/clients.ts';

let deployment: SentinelDeployment;
let timersBefore = 0;
const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
const clients = clientsOfTest();

beforeAll(async () => {
  deployment = await startSentinel();
  timersBefore = timers();
}, 60_000);
afterAll(async () => {
  await deployment.stop();
  // After a failover, ioredis disconnects its old sentinel connections twice. The second call leaves a timer of 2 s
  // that cannot be cancelled.
  await waitFor(() => timers() <= timersBefore, { what: 'the last timer of ioredis' });
});

const options = () => ({ sentinels: deployment.sentinels, sentinelName: deployment.name });

describe('Redis behind Sentinel', () => {
  it('is found through the sentinels, and is the master', async () => {
    const redis = await clients.connect(options());
    expect(await redis.health()).toMatchObject({ mode: 'sentinel', status: 'ok', role: 'master' });
    expect(await redis.send(['CONFIG', 'GET', 'port'])).toEqual([
      'port',
      String(await deployment.masterPort()),
    ]);
  });

  it('is found when the first sentinel named is gone', async () => {
    const [first, ...rest] = deployment.sentinels;
    const redis = await clients.connect({
      ...options(),
      sentinels: [{ host: first!.host, port: 1 }, ...rest],
    });
    expect(await redis.send(['PING'])).toBe('PONG');
  });

  it.each([
    ['killed with -9', 'killMaster'],
    ['frozen by SIGSTOP', 'freezeMaster'],
  ] as const)(
    'has a new master in use within 5 s of its election when the old one is %s',
    async (_how, fail) => {
      const logger = recordingLogger();
      const redis = await clients.connect(options(), logger);
      const keys = createKeySchema({ prefix: randomPrefix() });
      const heard: string[] = [];
      let resubscribed = 0;
      redis.subscriber.onResubscribed(() => (resubscribed += 1));
      await redis.subscriber.subscribe(keys.globalTopic, (message) => heard.push(message));
      // The control: a client with the defaults of ioredis.
      const theirs = new Redis({
        sentinels: deployment.sentinels.map((node) => ({ ...node })),
        name: deployment.name,
      });
      theirs.on('error', () => undefined);
      await theirs.subscribe(keys.globalTopic);
      const theyHeard: string[] = [];
      theirs.on('message', (_topic, message) => theyHeard.push(message));
      const { runId } = await redis.health();
      const oldPort = await deployment.masterPort();
      // Only a replica in sync can be elected. Until then, the server that returns from the previous round may cut
      // connections, so errors are ignored.
      await waitFor(
        async () => {
          const info = await redis.send(['INFO', 'replication']).catch(() => '');
          return /state=online/.test(String(info));
        },
        { timeoutMs: 30_000, what: 'a replica in sync' },
      );

      const old = await deployment[fail]();
      const outage = await timed(waitFor(() => !redis.available));
      expect(outage.ms).toBeLessThan(1500);
      const newPort = await deployment.failedOver(oldPort);
      const recovery = await timed(untilUp(redis));
      expect(recovery.ms).toBeLessThan(5000);

      expect(await redis.send(['SET', keys.sequence('room'), 1])).toBe('OK');
      const health = await redis.health();
      expect(health).toMatchObject({ status: 'ok', role: 'master' });
      expect(health.runId).not.toBe(runId);
      await redis.send(['PUBLISH', keys.globalTopic, 'from the new master']);
      await waitFor(() => heard.length === 1);
      expect(resubscribed).toBeGreaterThan(0);
      if (fail === 'freezeMaster') {
        // The control still listens to the frozen master, and reports "ready".
        expect({ status: theirs.status, theyHeard }).toEqual({ status: 'ready', theyHeard: [] });
      }
      theirs.disconnect();

      // For some seconds, a thawed master still acts as the master.
      old.thaw();
      expect(await redis.send(['CONFIG', 'GET', 'port'])).toEqual(['port', String(newPort)]);
    },
    60_000,
  );
});
