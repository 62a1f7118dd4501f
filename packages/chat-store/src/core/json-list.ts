import { sql, type RawBuilder } from 'kysely';
import type { Dialect } from './engine.ts';

type ColumnType = 'text' | 'bigint';

/** All rows are one parameter, so that the statement's text is the same for any number of rows. */
export function jsonList(
  dialect: Dialect,
  columns: Readonly<Record<string, ColumnType>>,
  rows: readonly (readonly (string | number)[])[],
): RawBuilder<unknown> {
  const json = JSON.stringify(rows);
  const isSqlite = dialect === 'sqlite';
  const selected = Object.entries(columns).map(([name, type], index) => {
    const value = sql`value ->> ${sql.lit(index)}`;
    const typed = {
      text: value,
      bigint: isSqlite ? value : sql`(${value})::bigint`,
    }[type];
    return sql`${typed} as ${sql.ref(name)}`;
  });
  const source = isSqlite
    ? sql`json_each(${json})`
    : sql`json_array_elements(${json}::json) as list(value)`;
  return sql`(select ${sql.join(selected)} from ${source})`;
}
