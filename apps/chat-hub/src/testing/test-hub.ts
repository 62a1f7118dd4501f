import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  builtForTests,
  connectRpc,
  temporaryFolder,
  type RpcSocket,
  type RpcSocketOptions,
} from '@openclaw/test-support';
import type { RunningHub, StartOptions } from '../start-hub.ts';

// Jest loads all modules again for each test file. For the hub's modules this takes a second of processor time; one
// bundle of them loads faster.
const bundle = builtForTests('hub');
const parts = bundle === null ? './hub-parts.ts' : pathToFileURL(join(bundle, 'hub-parts.js')).href;
const { parseConfig, pino, startHub } = (await import(parts)) as typeof import('./hub-parts.ts');

/** The hub runs in this process, on a free loopback port. `await using` closes it. */
export interface TestHub extends RunningHub, AsyncDisposable {
  readonly wsUrl: string;
  readonly databaseUrl: string;
  connect(
    agentId: string,
    options?: RpcSocketOptions & { readonly query?: string },
  ): Promise<RpcSocket>;
  request(
    agentId: string,
    verb: string,
    path: string,
    body?: unknown,
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests look into answers freely
  ): Promise<{ status: number; headers: Headers; body: any }>;
}

export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
  remove(): Promise<void>;
}

export async function temporaryDatabase(): Promise<TestDatabase> {
  const folder = await temporaryFolder('hub');
  return {
    url: `sqlite:${folder.path}/hub.sqlite`,
    remove: () => folder.remove(),
    [Symbol.asyncDispose]: () => folder.remove(),
  };
}

/** Nothing listens on port 1, so Redis never answers. */
export const noRedis = { REDIS_URL: 'redis://127.0.0.1:1', LOG_LEVEL: 'error' } as const;

/** Without a HUB_DB_URL the hub gets a fresh SQLite file, which is removed when the hub is closed. */
export async function startTestHub(
  environment: Readonly<Record<string, string>> = {},
  options: StartOptions = {},
): Promise<TestHub> {
  const own = environment['HUB_DB_URL'] === undefined ? await temporaryDatabase() : null;
  const databaseUrl = environment['HUB_DB_URL'] ?? own?.url ?? '';
  const config = parseConfig({
    HUB_PORT: '0',
    LOG_LEVEL: 'warn',
    // Agents in tests may send each other any number of messages.
    HUB_AGENT_LOOP: '0',
    HUB_AGENT_TURNS: '0',
    ...environment,
    HUB_DB_URL: databaseUrl,
  });
  const hub = await startHub(config, pino({ level: config.logLevel }), options);
  const wsUrl = `${hub.url.replace('http', 'ws')}/v1/ws`;
  return Object.assign(hub, {
    wsUrl,
    databaseUrl,
    async [Symbol.asyncDispose]() {
      await hub.close();
      await own?.[Symbol.asyncDispose]();
    },
    connect: (
      agentId: string,
      { query = '', ...options }: RpcSocketOptions & { readonly query?: string } = {},
    ) => connectRpc(`${wsUrl}?agent=${encodeURIComponent(agentId)}${query}`, options),
    async request(agentId: string, verb: string, path: string, body?: unknown) {
      const separator = path.includes('?') ? '&' : '?';
      const response = await fetch(
        `${hub.url}${path}${separator}agent=${encodeURIComponent(agentId)}`,
        {
          method: verb,
          ...(body !== undefined && {
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(body),
          }),
        },
      );
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        body: text === '' ? null : (JSON.parse(text) as unknown),
      };
    },
  });
}
