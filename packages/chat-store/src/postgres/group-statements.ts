import type pg from 'pg';
import type {
  PrefetchedRows,
  GroupRows,
  PrefetchedMember,
  PrefetchedMessage,
  PrefetchedRepeat,
  PrefetchedSender,
  Prefetch,
} from '../core/engine.ts';
import { channelColumns } from '../core/tables.ts';

// A group costs two round trips. The first sends BEGIN, the lock of its channels and the prefetch, the second the rows
// and COMMIT. In each round trip the statements are sent without waiting (pg's pipeline mode). They must be separate
// statements: a statement sees the commits from before it began, so only a statement that begins after the lock was
// granted sees the current state. Each is prepared once per connection. Lists are passed as arrays, so that a statement
// is the same for any number of items.

/** A statement with its values and the name under which it is prepared. */
export type Statement = pg.QueryConfig<unknown[]>;

/** The values of one column. */
const column = <T, K extends keyof T>(rows: readonly T[], name: K) => rows.map((row) => row[name]);
const statement = (name: string, text: string, values: unknown[]): Statement => ({
  name: `chat_store_${name}`,
  text,
  values,
});

/** Locks channels in id order. */
export const lockChannels = (ids: readonly string[]): Statement =>
  statement(
    'lock',
    `select ${channelColumns.join(', ')} from channels
     where id = any($1::text[]) order by id for update`,
    [ids],
  );

/**
 * Reads the database's time and epoch, this transaction's mark, and the channels' heads. It is a separate statement,
 * because the locking statement would read the heads from before the lock was granted.
 */
export const readMoment = (channelIds: readonly string[]): Statement =>
  statement(
    'moment',
    `select value as epoch, pg_current_xact_id()::text::bigint as mark,
       (extract(epoch from clock_timestamp()) * 1000)::bigint as now,
       (select coalesce(json_object_agg(w.id,
          coalesce((select max(seq) from log where channel_id = w.id), 0)), '{}')
        from unnest($1::text[]) as w(id)) as heads
     from meta where name = 'epoch'`,
    [channelIds],
  );

/** The statements of a prefetch, without those for empty lists, and a function that collects their answers. */
export function prefetchStatements({ members, repeats, messages, senders }: Prefetch) {
  const statements: Statement[] = [];
  const ask = (list: readonly unknown[], question: () => Statement) =>
    list.length === 0 ? -1 : statements.push(question()) - 1;
  const memberAt = ask(members, () =>
    statement(
      'members',
      `select m.channel_id, m.agent_id, m.role
       from unnest($1::text[], $2::text[]) as w(channel_id, agent_id)
       join members m on m.channel_id = w.channel_id and m.agent_id = w.agent_id`,
      [column(members, 0), column(members, 1)],
    ),
  );
  const repeatAt = ask(repeats, () =>
    statement(
      'repeats',
      `select l.channel_id, l.sender_id, l.client_message_id, l.seq, l.message_id, l.timestamp,
         l.fingerprint
       from unnest($1::text[], $2::text[], $3::text[]) as w(channel_id, sender_id, client_id)
       join log l on l.channel_id = w.channel_id and l.sender_id = w.sender_id
         and l.client_message_id = w.client_id and l.client_message_id is not null`,
      [column(repeats, 0), column(repeats, 1), column(repeats, 2)],
    ),
  );
  const messageAt = ask(messages, () =>
    statement(
      'message_facts',
      `select w.agent_id, m.id, m.channel_id, m.thread_id, m.taint, c.kind, c.archived_at,
         c.deleted_at, p.role
       from unnest($1::text[], $2::text[]) as w(agent_id, id)
       join messages m on m.id = w.id
       join channels c on c.id = m.channel_id
       left join members p on p.channel_id = m.channel_id and p.agent_id = w.agent_id`,
      [column(messages, 0), column(messages, 1)],
    ),
  );
  const senderAt = ask(senders, () =>
    statement(
      'senders',
      `select w.channel_id, w.sender_id,
         coalesce((select m.ordinal from messages m where m.channel_id = w.channel_id
           order by m.seq desc limit 1), 0) as ordinal,
         coalesce((select m.sender_ordinal from messages m where m.channel_id = w.channel_id
           and m.sender_id = w.sender_id order by m.ordinal desc limit 1), 0) as sender_ordinal
       from unnest($1::text[], $2::text[]) as w(channel_id, sender_id)`,
      [column(senders, 0), column(senders, 1)],
    ),
  );
  return {
    statements,
    collect: (answers: readonly pg.QueryResult[]): PrefetchedRows => ({
      members: (answers[memberAt]?.rows ?? []) as PrefetchedMember[],
      repeats: (answers[repeatAt]?.rows ?? []) as PrefetchedRepeat[],
      messages: (answers[messageAt]?.rows ?? []) as PrefetchedMessage[],
      senders: (answers[senderAt]?.rows ?? []) as PrefetchedSender[],
    }),
  };
}

/** The statements that write a group's rows: one for each table that gets any. */
export function writeRows({ log, messages, mentions, replies, agents }: GroupRows): Statement[] {
  const statements: Statement[] = [];
  if (log.length > 0) {
    statements.push(
      statement(
        'log',
        `insert into log (channel_id, seq, id, type, sender_id, timestamp, message_id,
           client_message_id, fingerprint, envelope, mark)
         select * from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[],
           $6::bigint[], $7::text[], $8::text[], $9::text[], $10::text[], $11::bigint[])`,
        [
          ...[column(log, 'channel_id'), column(log, 'seq'), column(log, 'id')],
          ...[column(log, 'type'), column(log, 'sender_id'), column(log, 'timestamp')],
          ...[column(log, 'message_id'), column(log, 'client_message_id')],
          ...[column(log, 'fingerprint'), column(log, 'envelope'), column(log, 'mark')],
        ],
      ),
    );
  }
  if (messages.length > 0) {
    statements.push(
      statement(
        'messages',
        `insert into messages (channel_id, seq, id, sender_id, thread_id, text_seq, ordinal,
           sender_ordinal, taint)
         select channel_id, seq, id, sender_id, thread_id, seq, ordinal, sender_ordinal, taint
         from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[],
             $7::bigint[], $8::text[])
           as w(channel_id, seq, id, sender_id, thread_id, ordinal, sender_ordinal, taint)`,
        [
          column(messages, 'channel_id'),
          column(messages, 'seq'),
          column(messages, 'id'),
          column(messages, 'sender_id'),
          column(messages, 'thread_id'),
          column(messages, 'ordinal'),
          column(messages, 'sender_ordinal'),
          column(messages, 'taint'),
        ],
      ),
    );
  }
  if (mentions.length > 0) {
    statements.push(
      statement(
        'mentions',
        `insert into mentions (agent_id, channel_id, seq)
         select * from unnest($1::text[], $2::text[], $3::bigint[])`,
        [column(mentions, 'agent_id'), column(mentions, 'channel_id'), column(mentions, 'seq')],
      ),
    );
  }
  if (replies.length > 0) {
    statements.push(
      statement(
        'replies',
        `insert into threads (channel_id, thread_id, created_by, created_at, replies, announced)
         select *, 0 from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[])
         on conflict (channel_id, thread_id)
         do update set replies = threads.replies + excluded.replies`,
        [
          ...[column(replies, 'channel_id'), column(replies, 'thread_id')],
          ...[column(replies, 'created_by'), column(replies, 'created_at')],
          column(replies, 'count'),
        ],
      ),
    );
  }
  if (agents.length > 0) {
    statements.push(
      statement(
        'agents',
        'insert into agents (id) select unnest($1::text[]) on conflict do nothing',
        [agents],
      ),
    );
  }
  return statements;
}
