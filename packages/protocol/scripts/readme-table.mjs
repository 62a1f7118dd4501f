// Writes the table of methods in README.md, between its markers, from the sources.
// `--check` writes nothing and exits 1 when the table differs.
import { readFileSync, writeFileSync } from 'node:fs';
import { methods } from '../src/methods.ts';
import { buildOpenRpc } from '../src/openrpc.ts';

const readme = new URL('../README.md', import.meta.url);
const [start, end] = ['<!-- methods:start -->', '<!-- methods:end -->'];
const code = (text) => `\`${text}\``;

function route({ kind, rest }) {
  if (kind === 'socket' || !rest) return '–';
  return code(`${rest.verb} ${rest.path.replaceAll(/:(\w+)/g, '{$1}')}`);
}

const rows = buildOpenRpc().methods.map(({ name, summary, params, result }) => {
  const names = params.map((param) => param.name + (param.required ? '' : '?')).join(', ');
  const fields = Object.keys(result.schema.properties ?? {}).join(', ');
  const shapes = `${code(`{${names}}`)} → ${code(`{${fields}}`)}`;
  return [code(name), shapes, summary, route(methods[name])];
});
const head = ['method', 'params → result', 'what it does', 'REST, below `/v1`'];
const table = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);

const text = readFileSync(readme, 'utf8');
const from = text.indexOf(start);
const to = text.indexOf(end);
if (from < 0 || to < from) {
  console.error(`README.md lacks ${start} or ${end}.`);
  process.exit(1);
}
const section = `${start}\n\n<!-- prettier-ignore -->\n${table.join('\n')}\n\n`;
const updated = text.slice(0, from) + section + text.slice(to);
if (updated !== text) {
  if (process.argv.includes('--check')) {
    console.error('README.md differs from the sources; run npm run readme.');
    process.exit(1);
  }
  writeFileSync(readme, updated);
}
