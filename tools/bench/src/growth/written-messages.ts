import { DatabaseSync } from 'node:sqlite';

export interface BenchDatabase {
  readonly url: string;
  readonly dialect: 'sqlite' | 'postgres';
  run(sql: string): void;
}

export interface Spread {
  readonly messages: number;
  /** Message n is in the channel `${prefix}${n % channels}`. */
  readonly channels: number;
  readonly prefix: string;
  /** Messages of a channel are `everyMs` apart, and the last is now. */
  readonly everyMs: number;
}

const vocabulary = 20_000;
const wordsEach = 12;
const rowsAtOnce = 50_000;

/**
 * Writes messages by SQL, after the first event of each channel. Every text begins with `the`, followed by twelve words
 * such as `w7`: the lower the number, the more common the word. Every tenth message also has the word `tenth`.
 * `template` is the logged envelope of a message that was sent.
 */
export function writeMessages(
  database: BenchDatabase,
  { messages, channels, prefix, everyMs }: Spread,
  template: {
    readonly envelope: string;
    readonly id: string;
    readonly channelId: string;
    readonly seq: number;
    readonly timestamp: number;
    readonly content: string;
    readonly senderId: string;
  },
): void {
  const isSqlite = database.dialect === 'sqlite';
  const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;
  const random = isSqlite ? '(abs(random() % 1000000) / 1000000.0)' : 'random()';
  const word = `'w' || cast(floor(exp(${random} * ln(${vocabulary}))) as bigint)`;
  const words = Array.from({ length: wordsEach }, () => word).join(` || ' ' || `);
  const hex = (number: string, digits: number) =>
    isSqlite ? `printf('%0${digits}x', ${number})` : `lpad(to_hex(${number}), ${digits}, '0')`;
  const fromMs = Date.now() - Math.ceil(messages / channels) * everyMs;
  const replacements = [
    [template.id, 'id'],
    [`"channelId":${JSON.stringify(template.channelId)}`, `'"channelId":"' || channel_id || '"'`],
    [`"seq":${template.seq}`, `'"seq":' || seq`],
    [`"timestamp":${template.timestamp}`, `'"timestamp":' || at`],
    [template.content, 'content'],
  ] as const;
  const envelope = replacements.reduce(
    (sql, [from, to]) => `replace(${sql}, ${quoted(from)}, ${to})`,
    quoted(template.envelope),
  );
  for (let from = 0; from < messages; from += rowsAtOnce) {
    const to = Math.min(messages, from + rowsAtOnce) - 1;
    const numbers = isSqlite
      ? `with recursive numbers(n) as
          (select ${from} union all select n + 1 from numbers where n < ${to})`
      : `with numbers as (select n from generate_series(${from}::bigint, ${to}) as s(n))`;
    database.run(`create table bench_messages as ${numbers}, timed as (
        select n, ${fromMs} + (n / ${channels}) * ${everyMs} + n % ${channels} % ${everyMs} as at
        from numbers)
      select '${prefix}' || (n % ${channels}) as channel_id, n / ${channels} + 2 as seq, at,
        substr(${hex('at', 12)}, 1, 8) || '-' || substr(${hex('at', 12)}, 9) || '-${prefix}' || ${hex('n', 12)} as id,
        'the ' || ${words} || case when n % 10 = 0 then ' tenth' else '' end
          || case when n = 0 then ' first' else '' end as content
      from timed`);
    database.run(`insert into log (channel_id, seq, id, type, sender_id, timestamp, message_id,
        envelope)
      select channel_id, seq, 'e' || id, 'channel.message', ${quoted(template.senderId)}, at, id,
        ${envelope}
      from bench_messages order by at`);
    database.run(`insert into messages (channel_id, seq, id, sender_id, text_seq, ordinal,
        sender_ordinal)
      select channel_id, seq, id, ${quoted(template.senderId)}, seq, seq - 1, seq - 1
      from bench_messages order by at`);
    database.run('drop table bench_messages');
  }
  if (!isSqlite) database.run('vacuum analyze');
}

export function sqliteFile(path: string): BenchDatabase {
  return {
    url: `sqlite:${path}`,
    dialect: 'sqlite',
    run(sql) {
      const database = new DatabaseSync(path);
      try {
        database.exec('pragma synchronous = off');
        database.exec(sql);
      } finally {
        database.close();
      }
    },
  };
}
