import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { createRedisClient } from '@openclaw/redis-client';
import { startRedis, waitFor, type RedisServer } from '@openclaw/test-support';
import { createPresence } from './index.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

describe('README', () => {
  it('has an example that does what it says', async () => {
    const redis = createRedisClient({ url: server.url });
    await waitFor(() => redis.available);
    const told: string[] = [];
    const console = { info: (...words: string[]) => told.push(words.join(' ')) };
    // example
    const presence = createPresence({ redis }, { leaseMs: 30_000 });
    presence.onChange((channelId, record) =>
      console.info(channelId, record.agentId, record.status),
    );

    const connection = { agentId: 'tech-lead', sessionId: 'socket-17' };
    await presence.track('lobby', connection);
    await presence.set(connection, { status: 'dnd', customStatus: 'Deploying', avatar: '🤖' });
    const { presences, degraded } = await presence.list('lobby');
    await presence.close(); // ends and announces its leases
    await redis.close();
    // end
    expect(presences).toMatchObject([{ agentId: 'tech-lead', status: 'dnd', avatar: '🤖' }]);
    expect(degraded).toBe(false);
    expect(told).toEqual([
      'lobby tech-lead online',
      'lobby tech-lead dnd',
      'lobby tech-lead offline',
    ]);

    const source = readFileSync(new URL(import.meta.url), 'utf8');
    const tight = (text: string) => text.replace(/,?\s+/g, '');
    const example = /\/\/ example\n(.*?)\/\/ end\n/s.exec(source)![1]!;
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    expect(tight(readme)).toContain(tight(example));
  });
});
