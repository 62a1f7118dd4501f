import { sql, type Kysely } from 'kysely';
import type { Dialect } from '../engine.ts';
import { columnsOf, runAll } from './statements.ts';

export async function addTokensAndAudit(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const { id } = columnsOf(dialect);
  await runAll(db, [
    sql`alter table revoked_tokens add column expires_at bigint`,
    sql`create index revoked_tokens_expiry on revoked_tokens (expires_at)
      where expires_at is not null`,
    sql`create table minted_tokens (
      jti ${id} not null primary key,
      sub ${id} not null,
      minter ${id} not null,
      kind text,
      is_admin integer not null,
      channels text,
      minted_at bigint not null,
      expires_at bigint not null,
      last_used_at bigint
    )`,
    sql`create index minted_tokens_newest on minted_tokens (minted_at, jti)`,
    sql`create index minted_tokens_by_sub on minted_tokens (sub, minted_at, jti)`,
    sql`create index minted_tokens_by_minter on minted_tokens (minter, minted_at, jti)`,
    sql`create index minted_tokens_expiry on minted_tokens (expires_at)`,
    sql`create table audit_log (
      id ${id} not null primary key,
      at bigint not null,
      actor ${id} not null,
      action text not null,
      target ${id},
      details text not null,
      via text not null,
      address text,
      request_id text,
      hub_id text
    )`,
    sql`create index audit_log_newest on audit_log (at, id)`,
    sql`create index audit_log_by_actor on audit_log (actor, at, id)`,
    sql`create index audit_log_by_target on audit_log (target, at, id)
      where target is not null`,
  ]);
}
