// Writes the table of keys from src/key-table.ts into README.md, between the table's markers.
// `--check` writes nothing, and exits 1 if the README differs.
import { readFileSync, writeFileSync } from 'node:fs';
import { keyTable } from '../src/key-table.ts';

const readme = new URL('../README.md', import.meta.url);
const start = '<!-- key-table:start -->';
const end = '<!-- key-table:end -->';

function ttl(value) {
  if (value === null) return '';
  if (value === 'caller') return ', as its caller chooses';
  return typeof value === 'number' ? `, ${value / 1000} s` : `, with its ${value}`;
}

const rows = Object.entries(keyTable).map(
  ([maker, { pattern, redisType, ttlMs, value, purpose, owner, source }]) =>
    `| \`${pattern}\` | \`${maker}\` | ${redisType}${ttl(ttlMs)} | ${value} | ${purpose} | ${owner}${source === 'ours' ? ' (ours)' : ''} |`,
);
const table = [
  '<!-- prettier-ignore -->',
  '| name after the prefix | maker | type, TTL | value | purpose | package (ours: not in the EPIC) |',
  '|---|---|---|---|---|---|',
  ...rows,
].join('\n');

const text = readFileSync(readme, 'utf8');
const from = text.indexOf(start);
const to = text.indexOf(end);
if (from < 0 || to < from) {
  console.error(`README.md lacks ${start} or ${end}.`);
  process.exit(1);
}
const updated = `${text.slice(0, from)}${start}\n\n${table}\n\n${text.slice(to)}`;
if (updated !== text) {
  if (process.argv.includes('--check')) {
    console.error('README.md differs from src/key-table.ts; run node scripts/key-table.mjs.');
    process.exit(1);
  }
  writeFileSync(readme, updated);
}
