import { describe, expect, it } from '@jest/globals';
import { startRedis, waitFor, type RedisServer } from '@openclaw/test-support';
import { clientsOfTest, timed, untilUp } from './testing/clients.ts';

const clients = clientsOfTest();

async function commandsOf(server: RedisServer): Promise<number> {
  const info = await server.command('INFO commandstats');
  return [...info.matchAll(/cmdstat_(?:ping|eval):calls=(\d+)/g)].reduce(
    (sum, [, calls]) => sum + Number(calls),
    0,
  );
}

describe('the heartbeat of an idle client', () => {
  it('sends one command per connection in each pause', async () => {
    await using server = await startRedis();
    await using often = await startRedis();
    await clients.connect({ url: server.url, heartbeatMs: 60_000 });
    await clients.connect({ url: often.url, heartbeatMs: 50 });
    const before = await commandsOf(server);
    const from = await commandsOf(often);
    // Negative control: the other client sends 40 commands in this time. Each connection's first heartbeat comes soon
    // after the connect, so two commands are allowed.
    await waitFor(async () => (await commandsOf(often)) >= from + 40);
    expect((await commandsOf(server)) - before).toBeLessThanOrEqual(2);
  });

  // With a rare heartbeat, a frozen server is noticed later, but the recovery must not be later.
  it('does not make a recovery slower when it is rare', async () => {
    await using server = await startRedis();
    const redis = await clients.connect({ url: server.url, heartbeatMs: 30_000 });
    server.freeze();
    const calls = Array.from({ length: 5 }, () => redis.send(['PING']).catch(() => undefined));
    await Promise.all(calls);
    await waitFor(() => !redis.available);
    server.thaw();
    const { ms } = await timed(untilUp(redis, 5000));
    expect(ms).toBeLessThan(4000);
  });

  it('finds a frozen server within the pause and a second and a half', async () => {
    await using server = await startRedis();
    const redis = await clients.connect({ url: server.url, heartbeatMs: 2000 });
    server.freeze();
    try {
      const { ms } = await timed(waitFor(() => !redis.available, { timeoutMs: 8000 }));
      expect(ms).toBeLessThan(4000);
    } finally {
      server.thaw();
    }
  });
});
