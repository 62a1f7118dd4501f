import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import {
  mountSmallDisk,
  RpcCallError,
  startChatTraffic,
  startHubPair,
  startRedis,
  untilRedisIs,
  untilTopicsPass,
  waitFor,
  type ChatTraffic,
  type HubPair,
  type SmallDisk,
} from '@openclaw/test-support';
import { openQuietChannel } from './topologies/quiet-channel.contract.ts';
import { closeAfterAll } from '../testing/close-after-all.ts';

const disk = await mountSmallDisk(6);

(disk ? describe : describe.skip)(
  'two hubs whose SQLite disk fills (needs root to mount one)',
  () => {
    // This body also runs when the suite is skipped, and `disk` is then null. Only hooks and tests may use `small`.
    const small = disk as SmallDisk;
    let pair: HubPair;
    let traffic: ChatTraffic;

    beforeAll(async () => {
      closeAfterAll(small);
      const redis = closeAfterAll(await startRedis());
      pair = closeAfterAll(
        await startHubPair({
          HUB_DB_URL: `sqlite:${join(small.path, 'hub.sqlite')}`,
          REDIS_URL: redis.url,
          HUB_LIMIT_MESSAGE: '100000/60',
        }),
      );
      await untilRedisIs('used', pair.hubs);
    }, 60_000);
    afterEach(() => traffic?.close());

    it('refuse sends with the reason, still read, and continue when there is room: no acknowledged message is lost or stored twice', async () => {
      traffic = await startChatTraffic(pair.hubs);
      await openQuietChannel(traffic, 'quiet');
      await traffic.moreAcks(100);
      const [writer] = traffic.writers;
      const send = () =>
        writer
          ?.call('message.send', { channelId: 'quiet', content: 'x'.repeat(4_000) })
          .catch((error: unknown) => error);

      small.fill();
      await waitFor(() => traffic.refusals.size > 0, { what: 'a refused send', timeoutMs: 20_000 });
      const refusal = await waitFor(
        async () => {
          const answer: unknown = await send();
          return answer instanceof RpcCallError && answer;
        },
        { what: 'a refusal' },
      );
      expect(refusal).toMatchObject({ code: 'unavailable', retryAfterMs: expect.any(Number) });
      expect(refusal.message).toMatch(/the database is away or busy/);
      for (const watcher of traffic.watchers) {
        const { messages } = await watcher.call('message.history', { channelId: 'quiet' });
        expect(messages.length).toBeGreaterThanOrEqual(3);
        const { events } = await watcher.call('log.read', {
          channelId: 'quiet',
          after: 0,
          limit: 3,
        });
        expect(events).toHaveLength(3);
      }
      await untilTopicsPass(traffic);

      const clearedMs = performance.now();
      small.clear();
      await traffic.moreAcks(60);
      const backMs = Math.round(performance.now() - clearedMs);
      await writer?.call('message.send', { channelId: 'quiet', content: 'there is room' });
      const violations = await traffic.stop();
      const { slowestAnswerMs } = traffic;
      process.stderr.write(
        `[recovery] ${JSON.stringify({ topology: 'SQLite', fault: 'a full disk', acked: traffic.ackedCount, refused: [...traffic.refusals], slowestAnswerMs, backMs })}\n`,
      );
      expect(violations).toEqual([]);
      expect([...traffic.refusals.keys()]).toEqual(expect.arrayContaining(['unavailable']));
      expect(slowestAnswerMs).toBeLessThan(4_000);
    }, 90_000);
  },
);
