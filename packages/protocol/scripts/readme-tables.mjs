// Writes the tables of README.md, between their markers, from the sources.
// `--check` writes nothing and exits 1 when they differ.
import { readFileSync, writeFileSync } from 'node:fs';
import { closeCodes } from '../src/close-codes.ts';
import { commonErrors, errorMeanings } from '../src/errors.ts';
import { isDurable } from '../src/event-types.ts';
import { eventSchemas } from '../src/events.ts';
import { limits } from '../src/limits.ts';
import { methods } from '../src/methods.ts';
import { notifications } from '../src/notifications.ts';
import { buildOpenRpc } from '../src/openrpc.ts';

const readme = new URL('../README.md', import.meta.url);
const document = buildOpenRpc();

const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
const list = (lines) => lines.map((line) => `- ${line}`).join('\n');
const code = (text) => `\`${text}\``;
const codes = (texts) => texts.map(code).join(', ') || '–';
const fields = (schema) => `{${Object.keys(schema.properties ?? {}).join(', ')}}`;

function route({ kind, rest }) {
  if (kind === 'socket') return '–';
  return rest ? code(`${rest.verb} ${rest.path.replaceAll(/:(\w+)/g, '{$1}')}`) : '–';
}

// Most methods may refuse with not_found and forbidden.
function origin(error) {
  if (commonErrors.includes(error)) return 'Any method.';
  if (error === 'not_found' || error === 'forbidden') return 'Most methods.';
  const names = Object.keys(methods).filter((name) => methods[name].errors.includes(error));
  return `${codes(names)}.`;
}

// A limit's meaning is the beginning of the comment above it, up to its reason.
function meanings() {
  const source = readFileSync(new URL('../src/limits.ts', import.meta.url), 'utf8');
  const found = source.matchAll(/^ {2}\/\*\*\n?([^]*?)\*\/\n {2}(\w+):/gm);
  return Object.fromEntries(
    [...found].map(([, text, name]) => [
      name,
      text
        .replace(/\s*\n\s*\* ?|\s+/g, ' ')
        .replace(/^ ?\* /, '')
        .trim()
        .replace(/[.:;](?: [^]*)?$/, ''),
    ]),
  );
}
const meaning = meanings();

const tables = {
  methods: table(
    ['method', 'params → result', 'what it does', 'REST, below `/v1`'],
    document.methods.map(({ name, summary, params, result }) => [
      code(name),
      `${code(`{${params.map((param) => param.name + (param.required ? '' : '?')).join(', ')}}`)} → ${code(fields(result.schema))}`,
      summary,
      route(methods[name]),
    ]),
  ),
  notifications: list(
    document['x-notifications'].map(
      ({ name, schema }) =>
        `${code(name)} ${schema.$ref ? '(an envelope)' : code(fields(schema))}: ${notifications[name].summary}`,
    ),
  ),
  events: list(
    Object.entries(eventSchemas).map(([type, { shape }]) => {
      const own = Object.keys(shape).filter((field) => field !== 'type' && field !== 'channelId');
      return `${code(type)}: ${codes(own)}${isDurable(type) ? '' : ' (not in the log)'}`;
    }),
  ),
  errors: list(
    Object.entries(errorMeanings).map(([name, text]) => `${code(name)}: ${text} ${origin(name)}`),
  ),
  'close-codes': list(
    Object.entries(closeCodes).map(
      ([number, { name, meaning: text, reconnect }]) =>
        `${number} ${code(name)}${reconnect ? '' : ' (final)'}: ${text}`,
    ),
  ),
  limits: list(
    Object.entries(limits).map(
      ([name, value]) => `${code(name)} ${value.toLocaleString('en')}: ${meaning[name]}`,
    ),
  ),
};

const text = readFileSync(readme, 'utf8');
let updated = text;
for (const [name, content] of Object.entries(tables)) {
  const [start, end] = [`<!-- ${name}:start -->`, `<!-- ${name}:end -->`];
  const from = updated.indexOf(start);
  const to = updated.indexOf(end);
  if (from < 0 || to < from) {
    console.error(`README.md lacks ${start} or ${end}.`);
    process.exit(1);
  }
  updated = `${updated.slice(0, from)}${start}\n\n<!-- prettier-ignore -->\n${content}\n\n${updated.slice(to)}`;
}
if (updated !== text) {
  if (process.argv.includes('--check')) {
    console.error('README.md differs from the sources; run node scripts/readme-tables.mjs.');
    process.exit(1);
  }
  writeFileSync(readme, updated);
}
