import { webSocketPath } from '@openclaw/protocol/wire';
import { HubError } from './errors.ts';

/** A browser's WebSocket, Node's own, or the `ws` package's. */
export interface WebSocketLike {
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onerror: ((event: { readonly message?: string; readonly error?: unknown }) => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

export type GetToken = (request: { readonly signal: AbortSignal }) => string | Promise<string>;

export interface ClientOptions {
  /**
   * Such as `wss://chat.example.com` or `https://example.com/chat/`. `v1/ws` is added to a URL without a path, or with
   * a slash at its end.
   */
  readonly url: string;
  /** A JWT. The client closes when it expires, so a long-running process needs `getToken`. */
  readonly token?: string;
  /**
   * Returns a JWT. The client calls this function before each connection. Its signal aborts after `connectTimeoutMs`,
   * and the next attempt calls the function again.
   */
  readonly getToken?: GetToken;
  /** The bare agentId, for a hub with `HUB_AUTH=dev`. */
  readonly agent?: string;
  /** The longest wait for an answer, including offline time. @default 10_000 */
  readonly callTimeoutMs?: number;
  /** The longest time from the start of an attempt to the welcome, including `getToken`. @default 10_000 */
  readonly connectTimeoutMs?: number;
  /** The longest wait before the first reconnect. It doubles with each failure. @default 500 */
  readonly backoffMinMs?: number;
  /** The longest wait before any reconnect. @default 20_000 */
  readonly backoffMaxMs?: number;
  /** The most unanswered calls. The next one fails with `queue_full`. @default 1_000 */
  readonly queueMax?: number;
  /**
   * The most events of a channel that are buffered during a gap. Further events are dropped, and later read from the
   * log.
   * @default 5_000
   */
  readonly bufferMax?: number;
  /**
   * The most missed events of a channel that are read from its log. Beyond this number, a discontinuity is reported
   * instead.
   * @default 50_000
   */
  readonly catchUpMax?: number;
  /**
   * The most events that wait for the reader of one `events()`. While so many wait, new events are dropped; the reader
   * gets the durable ones from the log.
   * @default 10_000
   */
  readonly streamMax?: number;
  /**
   * Parses a frame. A process with many clients can pass a function that parses equal frames only once.
   * @default JSON.parse
   */
  readonly parseFrame?: (text: string) => unknown;
  /** @default globalThis.WebSocket */
  readonly webSocket?: WebSocketConstructor;
  /** Randomness for the waits, in [0, 1). @default Math.random */
  readonly random?: () => number;
}

export interface ResolvedOptions extends Required<
  Omit<ClientOptions, 'token' | 'getToken' | 'agent'>
> {
  /** Null in dev mode, where the address names the agent. */
  readonly getToken: GetToken | null;
  /** True if `getToken` can replace a refused token. */
  readonly canRenewToken: boolean;
}

export const clientDefaults = {
  callTimeoutMs: 10_000,
  connectTimeoutMs: 10_000,
  backoffMinMs: 500,
  backoffMaxMs: 20_000,
  queueMax: 1_000,
  bufferMax: 5_000,
  catchUpMax: 50_000,
  streamMax: 10_000,
} as const;

const invalid = (message: string) => new HubError('invalid', `createClient: ${message}`);

function parseUrl(text: string): URL {
  if (!hasWholeUrl())
    throw invalid(
      'the URL of this platform is incomplete: load a polyfill, such as react-native-url-polyfill',
    );
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new HubError('invalid', `createClient: url "${text}" is not an address`, { cause });
  }
  const scheme = { 'ws:': 'ws:', 'wss:': 'wss:', 'http:': 'ws:', 'https:': 'wss:' }[url.protocol];
  if (scheme === undefined)
    throw invalid(`url "${text}" must begin with ws://, wss://, http:// or https://`);
  url.protocol = scheme;
  if (url.pathname.endsWith('/')) url.pathname += webSocketPath.slice(1);
  return url;
}

/** React Native's own URL throws for most of its fields. */
function hasWholeUrl(): boolean {
  try {
    const url = new URL('http://a/');
    url.protocol = 'ws:';
    url.searchParams.set('b', 'c');
    return url.href === 'ws://a/?b=c';
  } catch {
    return false;
  }
}

/** @throws {HubError} `invalid`, with the option's name */
export function resolveOptions(options: ClientOptions): ResolvedOptions {
  const url = parseUrl(options.url);
  const { token, getToken, agent } = options;
  const identities = [token, getToken, agent].filter((identity) => identity !== undefined);
  if (identities.length !== 1) throw invalid('give exactly one of token, getToken and agent');
  if (agent !== undefined) url.searchParams.set('agent', agent);

  const limits = { ...clientDefaults } as { -readonly [K in keyof typeof clientDefaults]: number };
  for (const name of Object.keys(clientDefaults) as (keyof typeof clientDefaults)[]) {
    const value = options[name];
    if (value === undefined) continue;
    if (!Number.isFinite(value) || value < 0)
      throw invalid(`${name} must be a number of at least 0`);
    limits[name] = value;
  }
  const webSocket =
    options.webSocket ?? (globalThis.WebSocket as unknown as WebSocketConstructor | undefined);
  if (webSocket === undefined) {
    throw invalid('no global WebSocket (Node 22 and browsers have one): pass webSocket');
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
