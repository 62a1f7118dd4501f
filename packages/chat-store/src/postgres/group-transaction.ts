import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient } from 'kysely';
import type pg from 'pg';
import type { Engine, GroupTransaction } from '../core/engine.ts';
import type { ChannelsTable, Tables } from '../core/tables.ts';
import { ChatStoreError } from '../errors.ts';
import type { CommitConnection, PostgresSettings } from './connections.ts';
import {
  prefetchStatements,
  lockChannels,
  readMoment,
  writeRows,
  type Statement,
} from './group-statements.ts';
import { commitSettings, setSettings } from './session.ts';
import { isLost, isFromStandby, sqlState, unwritable } from './postgres-errors.ts';

// With one snapshot for the whole transaction, reads would be older than the locks.
const begin = 'BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE';

interface Moment {
  readonly epoch: string;
  readonly mark: number;
  readonly now: number;
  readonly heads: Readonly<Record<string, number>>;
}

/**
 * Runs groups one after the other, and destroys the connection of a group that exceeds `timeoutMs`. Behind a pooler in
 * transaction mode, uses nothing that outlives a transaction.
 */
export function createGroups(
  connection: CommitConnection,
  server: string,
  settings: PostgresSettings,
): Pick<Engine, 'beforeGroup' | 'beginGroup'> {
  let client: pg.Client;
  const db = new Kysely<Tables>({
    dialect: new PostgresDialect({ pool: poolOfOne(() => client) }),
  });
  let deadline: NodeJS.Timeout | undefined;
  /** Resolves when the last group has ended. Two groups at once on the connection would be one transaction. */
  let ended: Promise<void> = Promise.resolve();
  let end = (): void => undefined;
  const { timeoutMs, session } = settings;
  const send = (statements: readonly (Statement | string)[]) =>
    statements.map((statement) =>
      typeof statement !== 'string' && session?.isPooled
        ? client.query(statement.text, statement.values)
        : client.query(statement as Statement),
    );

  const transaction: GroupTransaction = {
    db,
    locksRows: true,
    async prefetched(prefetch) {
      const { statements, collect } = prefetchStatements(prefetch);
      return collect(await Promise.all(send(statements)));
    },
    async write(rows) {
      await Promise.all(send(writeRows(rows)));
    },
    async commit(rows) {
      const answers = await Promise.allSettled(send([...writeRows(rows), 'COMMIT']));
      clearTimeout(deadline);
      const last = answers.at(-1);
      if (last?.status === 'fulfilled' && last.value.command === 'COMMIT') return end();
      const failure = answers.find((answer) => answer.status === 'rejected');
      const reason: unknown = failure?.reason ?? new Error('COMMIT was answered by a rollback');
      // A ROLLBACK or a refusal in answer to COMMIT means that nothing was committed. Without an answer, or after a
      // shutdown, the group may be committed.
      const isKnown =
        last?.status === 'fulfilled' || !(isLost(reason) || sqlState(reason)?.startsWith('57'));
      if (isKnown) throw reason;
      throw new ChatStoreError('timeout', `the PostgreSQL server ${server} went away in a commit`, {
        cause: reason,
      });
    },
    async rollback() {
      clearTimeout(deadline);
      await client.query('ROLLBACK').catch(() => connection.discard());
      end();
    },
  };

  return {
    async beforeGroup(work) {
      client = await connection.client();
      deadline = setTimeout(() => connection.discard(), timeoutMs);
      try {
        return await work(db);
      } finally {
        clearTimeout(deadline);
      }
    },
    async beginGroup(channelIds, prefetch) {
      const before = ended;
      const own = Promise.withResolvers<void>();
      ended = own.promise;
      await before;
      end = own.resolve;
      try {
        client = await connection.client();
      } catch (error) {
        end();
        throw error;
      }
      deadline = setTimeout(() => connection.discard(), timeoutMs);
      const { statements, collect } = prefetchStatements(prefetch);
      const ownSettings = session?.isPooled
        ? [setSettings(commitSettings(settings), 'transaction')]
        : [];
      const opening = [lockChannels(channelIds), readMoment(channelIds), ...statements];
      const answers = send([begin, ...ownSettings, ...opening]);
      let ofBegin: unknown;
      answers[0]?.catch((error: unknown) => (ofBegin = error));
      try {
        const all = await Promise.all(answers);
        const [channels, moment, ...facts] = all.slice(1 + ownSettings.length);
        const { epoch, mark, now, heads } = moment?.rows[0] as Moment;
        const rows = (channels?.rows ?? []) as ChannelsTable[];
        return {
          transaction,
          nowMs: now,
          mark,
          epoch,
          prefetched: collect(facts),
          channels: rows.map((row) => ({ ...row, head: heads[row.id] ?? 0 })),
        };
      } catch (error) {
        await transaction.rollback();
        if (!isFromStandby(error, ofBegin)) throw error;
        // The server became a standby, which accepts no writes. The next group connects again.
        connection.discard();
        throw unwritable(server, error);
      }
    },
  };
}

function poolOfOne(client: () => pg.Client): PostgresPool {
  const only: PostgresPoolClient = {
    query: ((sql: string, parameters: readonly unknown[]) =>
      client().query(sql, [...parameters])) as unknown as PostgresPoolClient['query'],
    release: () => undefined,
  };
  return { connect: async () => only, end: async () => undefined, options: {} };
}
