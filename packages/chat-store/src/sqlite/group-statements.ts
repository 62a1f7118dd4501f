import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type {
  PrefetchedRows,
  GroupRows,
  PrefetchedMember,
  PrefetchedMessage,
  PrefetchedRepeat,
  PrefetchedSender,
  Prefetch,
} from '../core/engine.ts';
import type { ChannelWithHead } from '../core/tables.ts';

/** The next commit's mark. One writer at a time counts its commits, so all lower marks are committed. */
export const nextMarkSql = `(1 + max(
  coalesce((select mark from log where mark is not null order by mark desc limit 1), 0),
  coalesce((select max(touched) from revoked_tokens), 0)))`;

/**
 * The statements of the hot path, prepared once. Lists are passed as one JSON parameter, so that a group costs one
 * statement for each kind of look-up. Each row is written by its own execution of a prepared statement, which within
 * one process is faster than one statement for all rows.
 */
export function prepareGroupStatements(database: DatabaseSync) {
  const begin = database.prepare('begin immediate');
  const commit = database.prepare('commit');
  const moment = database.prepare(
    `select value as epoch, ${nextMarkSql} as mark from meta where name = 'epoch'`,
  );
  const channels = database.prepare(
    `select c.*, coalesce((select max(seq) from log where channel_id = c.id), 0) as head
     from json_each(?) w cross join channels c on c.id = w.value`,
  );
  const members = database.prepare(
    `select w.key, m.role from json_each(?) w
     cross join members m on m.channel_id = w.value ->> 0 and m.agent_id = w.value ->> 1`,
  );
  const repeats = database.prepare(
    `select l.channel_id, l.sender_id, l.client_message_id, l.seq, l.message_id, l.timestamp,
       l.fingerprint
     from json_each(?) w
     cross join log l on l.channel_id = w.value ->> 0 and l.sender_id = w.value ->> 1
       and l.client_message_id = w.value ->> 2 and l.client_message_id is not null`,
  );
  const messageFacts = database.prepare(
    `select w.value ->> 0 as agent_id, m.id, m.channel_id, m.thread_id, m.taint, c.kind,
       c.archived_at, c.deleted_at, p.role
     from json_each(?) w
     cross join messages m on m.id = w.value ->> 1
     cross join channels c on c.id = m.channel_id
     left join members p on p.channel_id = m.channel_id and p.agent_id = w.value ->> 0`,
  );
  const senders = database.prepare(
    `select w.value ->> 0 as channel_id, w.value ->> 1 as sender_id,
       coalesce((select m.ordinal from messages m where m.channel_id = w.value ->> 0
         order by m.seq desc limit 1), 0) as ordinal,
       coalesce((select m.sender_ordinal from messages m where m.channel_id = w.value ->> 0
         and m.sender_id = w.value ->> 1 order by m.ordinal desc limit 1), 0) as sender_ordinal
     from json_each(?) w`,
  );
  const log = database.prepare(
    `insert into log (channel_id, seq, id, type, sender_id, timestamp, message_id,
       client_message_id, fingerprint, envelope, mark)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const messages = database.prepare(
    `insert into messages (channel_id, seq, id, sender_id, thread_id, text_seq, ordinal,
       sender_ordinal, taint) values (?1, ?2, ?3, ?4, ?5, ?2, ?6, ?7, ?8)`,
  );
  const mentions = database.prepare(
    'insert into mentions (agent_id, channel_id, seq) values (?, ?, ?)',
  );
  const replies = database.prepare(
    `insert into threads (channel_id, thread_id, created_by, created_at, replies, announced)
     values (?, ?, ?, ?, ?, 0)
     on conflict (channel_id, thread_id) do update set replies = threads.replies + excluded.replies`,
  );

  const agents = database.prepare('insert into agents (id) values (?) on conflict do nothing');

  return {
    begin: () => void begin.run(),
    commit: () => void commit.run(),
    moment: () => moment.get() as { epoch: string; mark: number },
    channels: (ids: readonly string[]) =>
      (ids.length === 0 ? [] : channels.all(JSON.stringify(ids))) as unknown as ChannelWithHead[],
    facts(prefetch: Prefetch): PrefetchedRows {
      const ask = (statement: StatementSync, list: readonly unknown[]) =>
        (list.length === 0 ? [] : statement.all(JSON.stringify(list))) as unknown[];
      // The key is the index in the list, so the ids need not be selected.
      const roles = ask(members, prefetch.members) as {
        key: number;
        role: PrefetchedMember['role'];
      }[];
      return {
        members: roles.map(({ key, role }) => {
          const [channel_id, agent_id] = prefetch.members[key] ?? ['', ''];
          return { channel_id, agent_id, role };
        }),
        repeats: ask(repeats, prefetch.repeats) as PrefetchedRepeat[],
        messages: ask(messageFacts, prefetch.messages) as PrefetchedMessage[],
        senders: ask(senders, prefetch.senders) as PrefetchedSender[],
      };
    },
    write(rows: GroupRows) {
      for (const r of rows.log) {
        log.run(
          r.channel_id,
          r.seq,
          r.id,
          r.type,
          r.sender_id,
          r.timestamp,
          r.message_id,
          r.client_message_id,
          r.fingerprint,
          r.envelope,
          r.mark,
        );
      }
      for (const r of rows.messages) {
        messages.run(
          r.channel_id,
          r.seq,
          r.id,
          r.sender_id,
          r.thread_id,
          r.ordinal,
          r.sender_ordinal,
          r.taint,
        );
      }
      for (const r of rows.mentions) mentions.run(r.agent_id, r.channel_id, r.seq);
      for (const r of rows.replies) {
        replies.run(r.channel_id, r.thread_id, r.created_by, r.created_at, r.count);
      }
      for (const id of rows.agents) agents.run(id);
    },
  };
}
