import pg from 'pg';
import { ChatStoreError } from '../errors.ts';

/** All connections to one database share this object. */
export interface SessionMode {
  /**
   * True behind a pooler in transaction mode: each transaction may run on another connection of the server. A session's
   * settings and prepared statements are then lost, or visible to other clients.
   */
  isPooled: boolean;
}

export interface SessionSettings {
  readonly timeoutMs: number;
  readonly lockTimeoutMs: number;
}

/** Uses a statement, because poolers refuse unknown startup parameters. */
export function setSettings(
  settings: Readonly<Record<string, string>>,
  scope: 'session' | 'transaction',
): pg.QueryConfig<unknown[]> {
  return {
    // A stronger synchronous_commit than "on" stays.
    text: `select set_config(name, value, $3) from unnest($1::text[], $2::text[]) as s(name, value)
      where name <> 'synchronous_commit' or current_setting(name) = 'off'`,
    values: [Object.keys(settings), Object.values(settings), scope === 'transaction'],
  };
}

export function bounds({ timeoutMs, lockTimeoutMs }: SessionSettings): Record<string, string> {
  return {
    statement_timeout: String(timeoutMs),
    lock_timeout: String(lockTimeoutMs),
    idle_in_transaction_session_timeout: String(timeoutMs),
  };
}

export function commitSettings(settings: SessionSettings): Record<string, string> {
  return {
    ...bounds(settings),
    // Makes acknowledged commits durable, whatever the server's default is.
    synchronous_commit: 'on',
    // All look-ups are by key. A generic plan that was made while the tables were small would scan them.
    enable_seqscan: 'off',
    enable_hashjoin: 'off',
    enable_mergejoin: 'off',
  };
}

/**
 * True behind a pooler that may change the server's connection with each transaction. Without a pooler, two sessions
 * have different backends, and each keeps its backend.
 * @throws {ChatStoreError} `unavailable` for a pooler that allows no transactions; or the error of the connection
 */
export async function isTransactionPooled(config: pg.ClientConfig): Promise<boolean> {
  const [one, other] = [new pg.Client(config), new pg.Client(config)];
  for (const client of [one, other]) client.on('error', () => undefined);
  const backendOf = async (client: pg.Client) => {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    return rows[0]?.pid;
  };
  try {
    await one.connect();
    await other.connect();
    const first = await backendOf(one);
    const second = await backendOf(other);
    // The repeated queries reveal a pooler that alternates between backends.
    const isPooled =
      first === second || second !== (await backendOf(other)) || first !== (await backendOf(one));
    if (isPooled) await checkTransactions(one);
    return isPooled;
  } finally {
    await Promise.all([one, other].map((client) => client.end().catch(() => undefined)));
  }
}

async function checkTransactions(client: pg.Client): Promise<void> {
  try {
    await client.query('begin');
    await client.query('rollback');
  } catch (cause) {
    throw new ChatStoreError(
      'unavailable',
      'the pooler of PostgreSQL ends connections that begin a transaction: set its pool_mode to session or transaction',
      { cause },
    );
  }
}
