import { sql, type Kysely } from 'kysely';
import type { Engine } from './engine.ts';
import { newId } from './new-id.ts';
import type { Tables } from './tables.ts';

export interface AuditRecord {
  /** If a record with this id is already stored, the new record changes nothing. @default a new id */
  readonly id?: string;
  /** An agent; for a command, the user that ran it on the machine. */
  readonly actor: string;
  /** The name of a method, such as `channel.delete`, or of another act, such as `token.mint`. */
  readonly action: string;
  /** The changed agent or channel; null if there is not exactly one. */
  readonly target: string | null;
  /** Further ids and numbers, at most 2,048 characters as JSON; no text of a message. */
  readonly details: Readonly<Record<string, unknown>>;
  readonly via: 'ws' | 'rest' | 'command';
  /** Null for a command. */
  readonly address: string | null;
  readonly requestId: string | null;
  /** Null for a command. */
  readonly hubId: string | null;
}

export interface AuditEntry extends AuditRecord {
  readonly id: string;
  /** In the database's time. */
  readonly atMs: number;
}

export interface AuditQuery {
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly target?: string | undefined;
  /** The id of an entry. The list has only the entries after it, which are older. */
  readonly cursor?: string | undefined;
  readonly limit: number;
}

const maxText = 512;
const maxDetails = 2_048;
const rowsMax = 500;

const tooLarge = { isTooLarge: true };

/** If the details are too large, large values are left out, so that the ids stay. */
function detailsText(details: AuditRecord['details']): string {
  const text = JSON.stringify(details);
  if (text.length <= maxDetails) return text;
  const small = Object.entries(details).map(([name, value]) => {
    const isLarge = JSON.stringify(value ?? null).length > maxDetails / 8;
    return [name, isLarge ? tooLarge : value];
  });
  const rest = JSON.stringify(Object.fromEntries(small));
  return rest.length <= maxDetails ? rest : JSON.stringify(tooLarge);
}

const cut = (text: string | null) => text?.slice(0, maxText) ?? null;

let newestMs = 0;

/** Each call returns a greater id, so that acts of one millisecond keep their order. */
export function newAuditId(): string {
  newestMs = Math.max(newestMs + 1, Date.now());
  return newId(newestMs);
}

/** Call it in the transaction of the act. */
export async function insertAudit(
  { sql: { now } }: { readonly sql: Pick<Engine['sql'], 'now'> },
  db: Kysely<Tables>,
  records: readonly AuditRecord[],
): Promise<void> {
  if (records.length === 0) return;
  await db
    .insertInto('audit_log')
    .values(
      records.map((record) => {
        return {
          id: record.id ?? newAuditId(),
          at: now(),
          actor: record.actor.slice(0, maxText),
          action: record.action.slice(0, maxText),
          target: cut(record.target),
          details: detailsText(record.details),
          via: record.via,
          address: cut(record.address),
          request_id: cut(record.requestId),
          hub_id: cut(record.hubId),
        };
      }),
    )
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
}

/** Records past acts. Pass at most a few hundred records. If they have ids, the call may be repeated. */
export function recordAudit(engine: Engine, records: readonly AuditRecord[]): Promise<void> {
  return engine.write((db) => insertAudit(engine, db, records));
}

export async function readAudit(
  engine: Engine,
  { actor, action, target, cursor, limit }: AuditQuery,
): Promise<{ readonly entries: readonly AuditEntry[]; readonly nextCursor: string | null }> {
  let query = engine.db
    .selectFrom('audit_log')
    .selectAll()
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1);
  if (cursor !== undefined) {
    query = query.where(
      sql<boolean>`(at, id) < (select at, id from audit_log where id = ${cursor})`,
    );
  }
  if (actor !== undefined) query = query.where('actor', '=', actor);
  if (action !== undefined) query = query.where('action', '=', action);
  if (target !== undefined) query = query.where('target', '=', target);
  const rows = await query.execute();
  const entries = rows.slice(0, limit).map((row) => ({
    id: row.id,
    atMs: row.at,
    actor: row.actor,
    action: row.action,
    target: row.target,
    details: JSON.parse(row.details) as Record<string, unknown>,
    via: row.via,
    address: row.address,
    requestId: row.request_id,
    hubId: row.hub_id,
  }));
  return { entries, nextCursor: rows.length > limit ? (entries.at(-1)?.id ?? null) : null };
}

/** Removes a few hundred old entries. Returns whether there is more. */
export async function sweepAudit(engine: Engine, retentionMs: number): Promise<boolean> {
  const { numAffectedRows = 0n } = await engine.write((db) =>
    sql`delete from audit_log where id in (
      select id from audit_log where at < ${engine.sql.now()} - cast(${retentionMs} as bigint)
      order by at limit ${sql.lit(rowsMax)})`.execute(db),
  );
  return numAffectedRows >= rowsMax;
}
