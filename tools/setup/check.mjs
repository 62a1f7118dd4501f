// `npm run check` runs everything that a change must pass, the fastest checks first.
// `--no-tests` skips the tests: CI runs them separately, to count them.
import { spawnSync } from 'node:child_process';

const steps = [
  ['format', 'prettier', ['--check', '.', '--log-level', 'warn']],
  ['Lua drift', 'node', ['tools/setup/embed-lua.mjs', '--check']],
  ['sync', 'nx', ['sync:check']],
  ['typecheck and build', 'nx', ['run-many', '-t', 'build', '--outputStyle=static']],
  ['web UI', 'node', ['tools/setup/web.mjs']],
  ['lint', 'nx', ['run-many', '-t', 'lint', '--outputStyle=static']],
  [
    'import cycles',
    'depcruise',
    ['--config', 'tools/setup/cycles.config.mjs', 'packages', 'apps', 'tools'],
  ],
  ['packed packages', 'nx', ['run-many', '-t', 'pack-check', '--outputStyle=static']],
  ['tests', 'npm', ['test']],
];

const options = process.argv.slice(2);
const unknown = options.find((option) => option !== '--no-tests');
if (unknown !== undefined) {
  const isHelp = unknown === '--help';
  if (!isHelp) console.error(`check: unknown option ${unknown}`);
  console.log(`npm run check -- [--no-tests]\nRuns: ${steps.map(([title]) => title).join(', ')}.`);
  process.exit(isHelp ? 0 : 2);
}
const skipsTests = options.includes('--no-tests');
const failed = [];
for (const [title, command, args] of steps) {
  if (skipsTests && title === 'tests') continue;
  console.log(`\n── ${title}`);
  if (spawnSync(command, args, { stdio: 'inherit' }).status !== 0) failed.push(title);
}
console.log(failed.length === 0 ? '\ncheck: passed' : `\ncheck: failed in ${failed.join(', ')}`);
process.exit(failed.length === 0 ? 0 : 1);
