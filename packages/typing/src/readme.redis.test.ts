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
    const printed: unknown[][] = [];
    const console = { info: (...words: unknown[]) => printed.push(words) };
    // example
    const ttlMs = 1_000; // ten seconds by default
    const typing = createTyping({ redis }, { ttlMs });
    const watch = createTypingWatch(
      {
        typing,
        onExpired(channelId, agentId) {
          console.info(agentId, 'stopped in', channelId); // a second later
          watch.close();
          void redis.close();
        },
      },
      { ttlMs },
    );
    const { changed } = await typing.start('lobby', 'tech-lead');
    watch.started('lobby', 'tech-lead');
    const { agents } = await typing.list('lobby');
    console.info({ agents, changed }); // changed: announce it to the other processes
    // end
    await waitFor(() => printed.length > 1);
    expect(printed).toEqual([
      [{ agents: ['tech-lead'], changed: true }],
      ['tech-lead', 'stopped in', 'lobby'],
    ]);
    await typing.close();

    const source = readFileSync(new URL(import.meta.url), 'utf8');
    const tight = (text: string) => text.replace(/,?\s+/g, '');
    const example = /\/\/ example\n(.*?)\/\/ end\n/s.exec(source)![1]!;
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    expect(tight(readme)).toContain(tight(example));
  });
});
