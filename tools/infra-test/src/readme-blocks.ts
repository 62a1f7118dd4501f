import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './repository.ts';

export interface ReadmeBlock {
  readonly name: string;
  /** The path starts at the root, for example `packages/cache`. */
  readonly folder: string;
  readonly readme: string;
  readonly installLine: string;
  /** The README's first block of TypeScript. It declares no types, so it is valid JavaScript. */
  readonly block: string;
  /** The same code as CommonJS: with `require` instead of `import`, and with `await` inside an async function. */
  readonly commonJs: string;
  readonly imported: readonly string[];
}

export function readReadmeBlocks(): ReadmeBlock[] {
  return globSync('packages/*/package.json', { cwd: root })
    .sort()
    .map((path) => readBlock(dirname(path)));
}

function readBlock(folder: string): ReadmeBlock {
  const readme = readFileSync(join(root, folder, 'README.md'), 'utf8');
  const manifest = readFileSync(join(root, folder, 'package.json'), 'utf8');
  const installLine = /^npm install .*$/m.exec(readme)?.[0];
  const block = /^```ts\n([^]*?)^```$/m.exec(readme)?.[1];
  if (installLine === undefined || block === undefined)
    throw new Error(`${folder}/README.md has no "npm install" or no block of TypeScript`);
  return {
    name: (JSON.parse(manifest) as { name: string }).name,
    folder,
    readme,
    installLine,
    block,
    commonJs: toCommonJs(block),
    imported: [...block.matchAll(/ from '([^']+)';$/gm)].map(([, name = '']) => name),
  };
}

/** Throws for any import other than `import { … } from '…';`. */
export function toCommonJs(block: string): string {
  const requires: string[] = [];
  const rest = block.replaceAll(
    /^import (\{[^}]*\}) from ('[^']+');\n/gm,
    (_, names: string, from: string) => {
      requires.push(`const ${names} = require(${from});\n`);
      return '';
    },
  );
  if (/^(import|export)\b/m.test(rest)) throw new Error(`an import of another form:\n${block}`);
  if (!/\bawait\b/.test(rest)) return requires.join('') + rest;
  return `${requires.join('')}\nasync function main() {\n${rest}}\n\nmain();\n`;
}

export function requireLine({ name, commonJs }: ReadmeBlock): string {
  const line = commonJs.split('\n').find((text) => text.endsWith(` = require('${name}');`));
  if (line === undefined) throw new Error(`the block of ${name} does not import it`);
  return line;
}

/** Output of each block's first run. Some parts depend on the data in Redis or on the time. */
export const printed: Readonly<Record<string, RegExp>> = {
  '@openclaw/cache': /^1 message at 1\n$/,
  '@openclaw/chat-store': /^2 \{"id":".*"content":"hello".*\}\n$/,
  '@openclaw/client': /^ada: Hello\n$/,
  '@openclaw/events': /^\d+ collaboration\.event\n$/,
  '@openclaw/key-schema':
    /^openclaw:pubsub:channel:9f3c2a1d\nopenclaw:presence:9f3c2a1d:tech-lead\n\{ kind: 'agent', agentId: 'tech-lead' \}\n300000\n$/,
  '@openclaw/presence': /^lobby tech-lead online\nlobby tech-lead dnd\nlobby tech-lead offline\n$/,
  '@openclaw/protocol': /^null\nfalse\n7\nnull\n32768\n$/,
  '@openclaw/ratelimit': /^allowed\n$/,
  '@openclaw/redis-client': /^\{ value: 'PONG', degraded: false \}\n$/,
  '@openclaw/typing':
    /^\{ agents: \[ 'tech-lead' \], changed: (true|false) \}\ntech-lead stopped in lobby\n$/,
};
