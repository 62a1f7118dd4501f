// Writes the tables of methods and of the hub's events in README.md, between their markers, from the sources.
// `--check` writes nothing and exits 1 when a table differs.
import { readFileSync, writeFileSync } from 'node:fs';
import { hubEventSchemas } from '../src/hub-events.ts';
import { methods } from '../src/methods.ts';
import { buildOpenRpc } from '../src/openrpc.ts';

const readme = new URL('../README.md', import.meta.url);
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
const methodTable = [['method', 'params → result', 'what it does', 'REST, below `/v1`'], ...rows];
const eventTable = [
  ['name', 'payload', 'when'],
  ...Object.entries(hubEventSchemas).map(([name, { shape, description }]) => [
    code(name),
    code(`{${Object.keys(shape).join(', ')}}`),
    description,
  ]),
];

function withTable(text, name, [head, ...body]) {
  const [start, end] = [`<!-- ${name}:start -->`, `<!-- ${name}:end -->`];
  const from = text.indexOf(start);
  const to = text.indexOf(end);
  if (from < 0 || to < from) {
    console.error(`README.md lacks ${start} or ${end}.`);
    process.exit(1);
  }
  const lines = [head, head.map(() => '---'), ...body].map((cells) => `| ${cells.join(' | ')} |`);
  const section = `${start}\n\n<!-- prettier-ignore -->\n${lines.join('\n')}\n\n`;
  return text.slice(0, from) + section + text.slice(to);
}

const text = readFileSync(readme, 'utf8');
const updated = withTable(withTable(text, 'methods', methodTable), 'hub-events', eventTable);
if (updated !== text) {
  if (process.argv.includes('--check')) {
    console.error('README.md differs from the sources; run npm run readme.');
    process.exit(1);
  }
  writeFileSync(readme, updated);
}
