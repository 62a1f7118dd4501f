import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import pg from 'pg';
import { bounds, commitSettings, setSettings, type SessionMode } from './session.ts';

export interface PostgresSettings {
  readonly url: string;
  readonly timeoutMs: number;
  readonly lockTimeoutMs: number;
  readonly poolSize: number;
  /** @default no pooler in transaction mode, so each connection has its own session */
  readonly session?: SessionMode;
  readonly onCertificate?: ((certificate: ServerCertificate) => void) | undefined;
}

export interface ServerCertificate {
  /** Epoch milliseconds. */
  readonly expiresAtMs: number;
}

const connectTimeoutMs = 2000;
const int8 = 20;

// Seqs, times and marks stay below 2^53, so JavaScript numbers hold them exactly.
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary'): unknown =>
    oid === int8 ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

/** Has all settings, except those that {@link setSettings} applies. */
export function clientConfig({ url, timeoutMs }: PostgresSettings): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: 'openclaw-chat-store',
    connectionTimeoutMillis: connectTimeoutMs,
    // Ends a frozen server's connection, with all its waiting calls.
    query_timeout: timeoutMs,
    keepAlive: true,
    types,
    // Statements are sent before earlier ones are answered; see group-statements.ts.
    pipeline: true,
  };
}

function socketOf(client: pg.ClientBase): Socket {
  return (client as unknown as { connection: { stream: Socket } }).connection.stream;
}

// end() would wait for a server that may be frozen.
function cutOff(client: pg.ClientBase): void {
  socketOf(client).destroy();
}

function reportCertificate(
  client: pg.ClientBase,
  onCertificate: PostgresSettings['onCertificate'],
): void {
  const socket = socketOf(client);
  if (!onCertificate || !(socket instanceof TLSSocket)) return;
  const expiresAtMs = Date.parse(socket.getPeerCertificate().valid_to);
  if (!Number.isNaN(expiresAtMs)) onCertificate({ expiresAtMs });
}

/** A pool whose connections can be cut off without waiting for the server. */
export function createPool(settings: PostgresSettings) {
  const prepare = async (client: pg.ClientBase) => {
    if (!settings.session?.isPooled) await client.query(setSettings(bounds(settings), 'session'));
  };
  const pool = new pg.Pool({
    ...clientConfig(settings),
    max: settings.poolSize,
    // The pool waits for the returned promise, although its type does not say so.
    onConnect: (client): unknown => prepare(client),
  });
  const clients = new Set<pg.ClientBase>();
  // After an error, the pool drops the connection, and a query on it fails. So nothing is left to do.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => {
    clients.add(client);
    reportCertificate(client, settings.onCertificate);
    client.on('error', () => undefined);
    client.on('end', () => clients.delete(client));
  });
  return { pool, cut: () => clients.forEach(cutOff) };
}

export function createMigrationPool(settings: PostgresSettings) {
  const longMs = 300_000;
  return createPool({ ...settings, timeoutMs: longMs, lockTimeoutMs: 60_000, poolSize: 2 });
}

/** Groups are committed on this one connection. `client()` opens it, and opens it again after a failure. */
export type CommitConnection = ReturnType<typeof createCommitConnection>;

export function createCommitConnection(settings: PostgresSettings) {
  let current: Promise<pg.Client> | undefined;
  let cut = (): void => undefined;

  async function connect(): Promise<pg.Client> {
    const client = new pg.Client(clientConfig(settings));
    const forget = () => (current = undefined);
    client.on('error', forget);
    client.on('end', forget);
    cut = () => {
      forget();
      cutOff(client);
    };
    await client.connect();
    reportCertificate(client, settings.onCertificate);
    if (!settings.session?.isPooled)
      await client.query(setSettings(commitSettings(settings), 'session'));
    return client;
  }

  return {
    client(): Promise<pg.Client> {
      current ??= connect().catch((error: unknown) => {
        current = undefined;
        throw error;
      });
      return current;
    },
    /** Running statements fail at once. */
    discard: () => cut(),
    async close() {
      const client = await current?.catch(() => undefined);
      await client?.end();
    },
  };
}
