import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { createRedisClient } from '@openclaw/redis-client';
import { startRedis, waitFor, type RedisServer } from '@openclaw/test-support';
import { createTyping, createTypingWatch } from './index.ts';

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
    const typing = createTyping({ redis });
    const onExpired = (channelId: string, agentId: string) => {
      console.info(agentId, 'stopped in', channelId); // ten seconds later
      watch.close();
      void redis.close();
    };
    const watch = createTypingWatch({ typing, onExpired });
    const { changed } = await typing.start('lobby', 'tech-lead');
    if (changed) watch.started('lobby', 'tech-lead'); // and announce it to the other processes
    const { agents, degraded } = await typing.list('lobby');
    // end
    expect(agents).toEqual(['tech-lead']);
    expect(degraded).toBe(false);
    await waitFor(() => told.length > 0, { timeoutMs: 15_000 });
    expect(told).toEqual(['tech-lead stopped in lobby']);
    await typing.close();

    const source = readFileSync(new URL(import.meta.url), 'utf8');
    const tight = (text: string) => text.replace(/,?\s+/g, '');
    const example = /\/\/ example\n(.*?)\/\/ end\n/s.exec(source)![1]!;
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    expect(tight(readme)).toContain(tight(example));
  });
});
