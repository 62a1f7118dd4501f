// `npm run check`: everything a change must satisfy, in the order in which it fails fastest.
// `--no-tests` leaves the tests out (CI runs them by themselves, for their counts).
import { spawnSync } from 'node:child_process';

const steps = [
  ['format', 'prettier', ['--check', '.', '--log-level', 'warn']],
  ['Lua drift', 'node', ['tools/setup/embed-lua.mjs', '--check']],
  ['sync', 'nx', ['sync:check']],
  ['typecheck and build', 'nx', ['run-many', '-t', 'build', '--outputStyle=static']],
  ['the page', 'node', ['tools/setup/web.mjs']],
  ['lint', 'nx', ['run-many', '-t', 'lint', '--outputStyle=static']],
  ['packed packages', 'nx', ['run-many', '-t', 'pack-check', '--outputStyle=static']],
  ['tests', 'npm', ['test']],
];

const skipsTests = process.argv.includes('--no-tests');
const failed = [];
for (const [title, command, args] of steps) {
  if (skipsTests && title === 'tests') continue;
  console.log(`\n── ${title}`);
  if (spawnSync(command, args, { stdio: 'inherit' }).status !== 0) failed.push(title);
}
console.log(
  failed.length === 0 ? '\ncheck: all is well' : `\ncheck: failed in ${failed.join(', ')}`,
);
process.exit(failed.length === 0 ? 0 : 1);
