import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { readText, root } from './repository.ts';

const { slowSuites } = (await import(pathToFileURL(join(root, 'jest.config.mjs')).href)) as {
  readonly slowSuites: readonly string[];
};

const epicLines = [
  'Redis connection/disconnection',
  'Key namespace isolation ("openclaw:" prefix)',
  'TTL expiry (presence, typing)',
  'Pub/Sub publish/subscribe',
  'Pattern subscriptions (pubsub:channel:\\*)',
  'Rate limiting counters',
  'Full chat message flow (agent → Redis → agent)',
  'Presence tracking (join → heartbeat → leave)',
  'Typing indicators (start → update → stop)',
  'Reaction add/remove',
  'Message edit/delete propagation',
  'Channel member list sync',
  '111 agents publishing simultaneously',
  '1000 messages/second throughput',
  'Memory under load',
  'CPU usage under sustained load',
  'Redis connection lost (fallback to memory)',
  'Redis reconnection recovery',
  'Message loss scenarios',
  'Presence data reconstruction',
  'Redis running in Docker (docker-compose up redis)',
  '.env configured with Redis host/port',
  'Health check passing',
  'Memory limits set',
  'Redis with persistence (AOF)',
  'Monitoring/alerting setup',
  'Slow log enabled',
  'Key eviction monitoring',
  'Redis Cluster (for HA)',
  'Sentinel setup (auto-failover)',
  'Backup strategy (RDB dumps)',
  'Point-in-time recovery (AOF)',
  'Monitoring & dashboards',
  'Rate limiting middleware',
  'Circuit breaker for Redis failures',
];

interface Row {
  readonly line: string;
  readonly command: string;
  readonly test: string;
}

async function rows(): Promise<Row[]> {
  const [, section = ''] = (await readText('docs/operations.md')).split('\n## Checklists\n');
  return [...section.matchAll(/^\| (.+?) +\| `([^`]+)` +\| `([^`]+\.test\.ts)` +\|$/gm)].map(
    ([, line = '', command = '', test = '']) => ({ line, command, test }),
  );
}

const wordsOf = (command: string) =>
  [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');

/** Null if the row's command runs the row's test; otherwise the reason why it does not. */
async function problemOf({ command, test }: Row): Promise<string | null> {
  const source = await readText(test);
  const [program, verb = '', ...rest] = wordsOf(command);
  if (program === 'npm') {
    const name = verb === 'run' ? rest[0] : verb;
    const { scripts } = JSON.parse(await readText('package.json')) as {
      scripts: Record<string, string>;
    };
    if (name === undefined || !(name in scripts)) return `there is no npm script ${name}`;
    if (name !== 'test' && name !== 'test:slow') return null;
    const args = rest.slice(rest.indexOf('--') + 1);
    const titleAt = args.indexOf('-t');
    const paths = titleAt < 0 ? args : args.slice(0, titleAt);
    if (!paths.some((path) => test.includes(path))) return `${paths.join(' ')} leaves it out`;
    const isSlow = slowSuites.some((path) => test.includes(path));
    if (isSlow !== (name === 'test:slow')) return isSlow ? 'it is a slow suite' : 'it is not slow';
    const title = titleAt < 0 ? '' : (args[titleAt + 1] ?? '');
    return source.includes(title) ? null : `it has no title with ${title}`;
  }
  if (program === 'docker') {
    const profile = /--profile (\w+)/.exec(command)?.[1] ?? 'redis';
    const named = `docker-compose.yml infra/${profile}/docker-compose.yml`.split(' ');
    const texts = await Promise.all(
      named.filter((path) => existsSync(join(root, path))).map(readText),
    );
    return texts.some((text) => text.includes(profile)) ? null : `Compose has no ${profile}`;
  }
  const path = wordsOf(command).find((word) => /^(infra\/|\.env\.example)/.test(word)) ?? '';
  return path !== '' && existsSync(join(root, path)) ? null : `there is no ${path}`;
}

describe('the checklists of docs/operations.md', () => {
  it('have every line of the EPIC’s, in its order', async () => {
    expect((await rows()).map(({ line }) => line)).toEqual(epicLines);
  });

  it('name a command for each line, and a test of it that exists', async () => {
    for (const row of await rows()) expect([row, await problemOf(row)]).toEqual([row, null]);
  });

  it.each([
    ['an unknown script', 'npm run nothing', 'there is no npm script nothing'],
    ['another file', 'npm test -- packages/cache', 'packages/cache leaves it out'],
    [
      'a missing title',
      "npm test -- e2e/two-hubs -t 'no such title'",
      'it has no title with no such title',
    ],
    ['the slow tests', 'npm run test:slow -- e2e/two-hubs', 'it is not slow'],
    ['a missing folder', 'kubectl apply -k infra/nowhere', 'there is no infra/nowhere'],
  ])('would be refused with %s', async (_, command, problem) => {
    const test = 'apps/chat-hub/src/e2e/two-hubs.e2e.test.ts';
    expect(await problemOf({ line: '', command, test })).toBe(problem);
  });
});
