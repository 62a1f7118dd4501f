import { webSocketPath } from '@openclaw/protocol';
import { HubError } from './errors.ts';
import type { WebSocketConstructor } from './web-socket.ts';

/** Options of `createClient`: the hub's address, one way to say who is calling, and limits. */
export interface ClientOptions {
  /** The hub: `wss://chat.example.com`, or a whole address; `/v1/ws` is added where there is no path. */
  readonly url: string;
  /** A JWT. When it expires the client closes; use `getToken` for what lives longer. */
  readonly token?: string;
  /** Asked for a JWT before each connection. */
  readonly getToken?: () => string | Promise<string>;
  /** The agentId itself, for a hub with `HUB_AUTH=dev`. */
  readonly agent?: string;
  /** How long a call may wait for its answer, offline time included. @default 10_000 */
  readonly callTimeoutMs?: number;
  /** How long a connection may take until the hub's welcome. @default 10_000 */
  readonly connectTimeoutMs?: number;
  /** The bound of the first wait before a reconnect. @default 500 */
  readonly backoffMinMs?: number;
  /** The bound of every wait before a reconnect. @default 20_000 */
  readonly backoffMaxMs?: number;
  /** Calls that may wait for the connection or for earlier answers; one more fails with `queue_full`. @default 1_000 */
  readonly queueMax?: number;
  /** Events of one channel held while those before them are fetched; what is over is fetched again. @default 5_000 */
  readonly heldMax?: number;
  /** Missed events of one channel that are paged from its log; past it a discontinuity is reported. @default 50_000 */
  readonly catchUpMax?: number;
  /** Events waiting for the reader of one `events()`; past it they are read from the log. @default 10_000 */
  readonly streamMax?: number;
  /** Reads a frame's text. A process that plays many agents may share the work. @default JSON.parse */
  readonly parseFrame?: (text: string) => unknown;
  /** @default globalThis.WebSocket */
  readonly webSocket?: WebSocketConstructor;
  /** In [0, 1), for the jitter. @default Math.random */
  readonly random?: () => number;
}

/** {@link ClientOptions} after validation. */
export interface ResolvedOptions {
  readonly url: string;
  /** The token for the next connection; null in dev, where the address names the agent. */
  readonly getToken: (() => string | Promise<string>) | null;
  /** May a refused token be followed by a better one? */
  readonly canRenewToken: boolean;
  readonly callTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  readonly queueMax: number;
  readonly heldMax: number;
  readonly catchUpMax: number;
  readonly streamMax: number;
  readonly parseFrame: (text: string) => unknown;
  readonly webSocket: WebSocketConstructor;
  readonly random: () => number;
}

/** The default of each limit. */
export const clientDefaults = {
  callTimeoutMs: 10_000,
  connectTimeoutMs: 10_000,
  backoffMinMs: 500,
  backoffMaxMs: 20_000,
  queueMax: 1_000,
  heldMax: 5_000,
  catchUpMax: 50_000,
  streamMax: 10_000,
} as const;

const invalid = (message: string) => new HubError('invalid', `createClient: ${message}`);

function parseUrl(text: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new HubError('invalid', `createClient: url "${text}" is not an address`, { cause });
  }
  const scheme = { 'ws:': 'ws:', 'wss:': 'wss:', 'http:': 'ws:', 'https:': 'wss:' }[url.protocol];
  if (scheme === undefined)
    throw invalid(`url "${text}" must begin ws://, wss://, http:// or https://`);
  url.protocol = scheme;
  if (url.pathname === '/') url.pathname = webSocketPath;
  return url;
}

/** Checks the options and fills in the defaults. @throws {HubError} `invalid`, naming the option */
export function resolveOptions(options: ClientOptions): ResolvedOptions {
  const url = parseUrl(options.url);
  const { token, getToken, agent } = options;
  const identities = [token, getToken, agent].filter((identity) => identity !== undefined);
  if (identities.length !== 1) throw invalid('give one of token, getToken and agent');
  if (agent !== undefined) url.searchParams.set('agent', agent);

  const limits = { ...clientDefaults } as { -readonly [K in keyof typeof clientDefaults]: number };
  for (const name of Object.keys(clientDefaults) as (keyof typeof clientDefaults)[]) {
    const value = options[name];
    if (value === undefined) continue;
    if (!Number.isFinite(value) || value < 0) throw invalid(`${name} must be a number from 0 on`);
    limits[name] = value;
  }
  const webSocket =
    options.webSocket ?? (globalThis.WebSocket as unknown as WebSocketConstructor | undefined);
  if (webSocket === undefined) {
    throw invalid('there is no global WebSocket (Node 22 and browsers have one); give webSocket');
  }
  return {
    ...limits,
    url: url.href,
    getToken: getToken ?? (token === undefined ? null : () => token),
    canRenewToken: getToken !== undefined,
    parseFrame: options.parseFrame ?? (JSON.parse as (text: string) => unknown),
    webSocket,
    random: options.random ?? Math.random,
  };
}
