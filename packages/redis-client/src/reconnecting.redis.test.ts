import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  randomPrefix,
  startRedis,
  startTcpProxy,
  waitFor,
  type RedisServer,
} from '@openclaw/test-support';
import { clientsOfTest, untilUp } from './testing/clients.ts';

let server: RedisServer;
let key: string;
const clients = clientsOfTest();

beforeAll(async () => {
  server = await startRedis();
});
beforeEach(() => {
  key = `${randomPrefix()}topic`;
});
afterAll(() => server.stop());

describe('a reconnect that fails before it is complete', () => {
  // The race: each new connection is lost before its subscriptions.
  it('loses no subscription, however often it fails', async () => {
    const proxy = await startTcpProxy(server.port);
    const redis = await clients.connect({ host: '127.0.0.1', port: proxy.port });
    const heard: string[] = [];
    let resubscribed = 0;
    redis.subscriber.onResubscribed(() => (resubscribed += 1));
    await redis.subscriber.subscribe(key as never, (message) => heard.push(message));
    proxy.stall();
    proxy.cut();
    await waitFor(() => !redis.subscriber.connected);
    await redis.subscriber.subscribe(`${key}:later` as never, (message) => heard.push(message));
    for (let failure = 0; failure < 4; failure += 1) {
      await waitFor(() => proxy.connections === 2, { what: 'both to connect again' });
      proxy.cut();
      await waitFor(() => proxy.connections === 0);
    }
    proxy.resume();
    await untilUp(redis);
    expect(resubscribed).toBe(1);
    await server.command(`PUBLISH ${key} 1`);
    await server.command(`PUBLISH ${key}:later 2`);
    await waitFor(() => heard.length >= 2);
    expect(heard).toEqual(['1', '2']);
    await redis.close();
    await proxy.stop();
  });
});

function establishedTo(port: number): number {
  const target = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , remote, state]) => remote?.endsWith(target) && state === '01').length;
}

describe('flapping', () => {
  // The fault: each failed attempt left a connection behind, until the server had no room (maxclients). At most four
  // may exist: two in use, one closing, one opening.
  it('never holds more than its two connections (clients must not storm to maxclients)', async () => {
    const proxy = await startTcpProxy(server.port);
    const redis = await clients.connect({ host: '127.0.0.1', port: proxy.port });
    let most = 0;
    const until = (condition: () => boolean) =>
      waitFor(
        () => {
          most = Math.max(most, establishedTo(proxy.port));
          return condition();
        },
        { everyMs: 2 },
      );
    const isWhole = () => redis.available && redis.subscriber.connected;
    const isLost = () => !redis.available && !redis.subscriber.connected;
    for (let round = 0; round < 3; round += 1) {
      proxy.cut();
      await until(isLost);
      await until(isWhole);
      proxy.stall();
      const made = proxy.accepted;
      await until(isLost);
      await until(() => proxy.accepted >= made + 4);
      proxy.resume();
      await until(isWhole);
    }
    await until(() => establishedTo(proxy.port) === 2);
    expect(most).toBeGreaterThanOrEqual(2);
    expect(most).toBeLessThanOrEqual(4);
    // Negative control: there were many more attempts.
    expect(proxy.accepted).toBeGreaterThan(3 * most);
    await redis.close();
    await proxy.stop();
  });
});
