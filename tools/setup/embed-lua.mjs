// Embeds packages/<name>/src/lua/*.lua into src/lua.gen.ts, so that a published package needs no Lua file. `--check`
// writes nothing, and exits 1 if a generated module differs from its scripts.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(fileURLToPath(import.meta.url), '../../..');
const checkOnly = process.argv.includes('--check');
const drifted = [];

for (const name of readdirSync(join(root, 'packages'))) {
  const folder = join(root, 'packages', name, 'src', 'lua');
  if (!existsSync(folder)) continue;
  const scripts = readdirSync(folder)
    .filter((file) => file.endsWith('.lua'))
    .sort();
  const constants = scripts.map((file) => {
    const identifier = basename(file, '.lua').replace(/-(\w)/g, (_, letter) =>
      letter.toUpperCase(),
    );
    return `export const ${identifier}Lua = ${JSON.stringify(readFileSync(join(folder, file), 'utf8'))};\n`;
  });
  const text = `// Generated from src/lua by \`npm run lua\`. Do not edit.\n${constants.join('')}`;
  const target = join(root, 'packages', name, 'src', 'lua.gen.ts');
  if (existsSync(target) && readFileSync(target, 'utf8') === text) continue;
  if (checkOnly) drifted.push(target);
  else writeFileSync(target, text);
}

if (drifted.length > 0) {
  console.error(`Lua drift: ${drifted.join(', ')} differ from their scripts; run "npm run lua".`);
  process.exit(1);
}
