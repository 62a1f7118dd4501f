// This program launches all root scripts: `node tools/setup/run.mjs TASK [ARGUMENT …]`. It must be plain JavaScript
// for Node 20, because it installs a newer Node if needed.
import { spawn } from 'node:child_process';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkerFolders, installCheckers } from './checkers.mjs';
import { installDependencies } from './dependencies.mjs';
import { installServers } from './servers.mjs';
import { buildPage } from './web.mjs';

const root = resolve(fileURLToPath(import.meta.url), '../../..');
const nx = (target) => ['nx', 'run-many', '-t', target];
/** Node strips the types, and workspace packages resolve to their sources. */
const node = (file) => [
  'node',
  '--conditions=@openclaw/source',
  '--disable-warning=ExperimentalWarning',
  file,
];

const tasks = {
  start: { command: node('apps/chat-hub/src/main.ts'), needs: ['page'] },
  demo: { command: node('apps/demo/src/main.ts'), needs: ['page'] },
  export: { command: node('apps/chat-hub/src/commands/export.ts') },
  erase: { command: node('apps/chat-hub/src/commands/erase.ts') },
  token: { command: node('apps/chat-hub/src/commands/token.ts') },
  'dev:web': { command: node('tools/setup/dev-web.mjs') },
  health: { command: node('apps/chat-hub/src/health/main.ts') },
  'audit:redis': { command: node('apps/chat-hub/src/audit/main.ts') },
  loadgen: { command: node('apps/loadgen/src/main.ts') },
  soak: { command: node('tools/bench/src/soak/main.ts'), needs: ['servers'] },
  faults: { command: node('tools/bench/src/faults/main.ts'), needs: ['servers'] },
  bench: { command: node('tools/bench/src/compare/main.ts'), needs: ['servers'] },
  'cost-model': { command: node('tools/bench/src/cost-model/main.ts'), needs: ['servers'] },
  fuzz: { command: node('tools/fuzz/src/main.ts'), needs: ['servers'] },
  backup: { command: [...node('tools/backup/src/main.ts'), 'backup'] },
  restore: { command: [...node('tools/backup/src/main.ts'), 'restore'] },
  migrate: { command: [...node('tools/backup/src/main.ts'), 'migrate'] },
  'call-path': { command: node('tools/setup/call-path.mjs'), needs: ['servers'] },
  test: { command: ['jest'], needs: ['servers', 'checkers'] },
  'test:slow': {
    command: ['jest', '--config', 'tools/setup/jest.slow.config.mjs'],
    needs: ['servers', 'checkers'],
  },
  check: { command: ['node', 'tools/setup/check.mjs'] },
  'check:cycles': {
    command: [
      'depcruise',
      '--config',
      'tools/setup/cycles.config.mjs',
      'packages',
      'apps',
      'tools',
    ],
  },
  typecheck: { command: ['tsc', '--build'] },
  lint: { command: nx('lint') },
  build: { command: nx('build') },
  format: { command: ['prettier', '--write', '.'] },
  lua: { command: ['node', 'tools/setup/embed-lua.mjs'] },
  alerts: { command: node('tools/monitoring/src/kubernetes/main.ts') },
  dashboards: { command: node('tools/monitoring/src/dashboards/main.ts') },
};

let [name, ...args] = process.argv.slice(2);
if (name === 'start' && args.includes('--demo')) {
  name = 'demo';
  args = args.filter((argument) => argument !== '--demo');
}
const task = tasks[name];
if (!task) {
  console.error(`usage: node tools/setup/run.mjs ${Object.keys(tasks).join('|')} [argument …]`);
  process.exit(2);
}

const servers = task.needs?.includes('servers')
  ? installServers({ forDrills: name === 'test:slow' })
  : Promise.resolve(true);
const [hasDependencies, hasServers] = await Promise.all([
  installDependencies(root),
  servers,
  task.needs?.includes('checkers') && installCheckers(servers),
]);
if (!hasDependencies || !hasServers) process.exit(1);
if (task.needs?.includes('page')) {
  const failure = buildPage();
  // After a failed build, the hub starts with the last web UI that was built, or without one.
  if (failure !== null)
    console.error(`setup: ${failure} ("node tools/setup/web.mjs" shows the whole output)`);
}

const [command, ...options] = task.command;
const nodeOptions = [
  process.env.NODE_OPTIONS,
  command === 'jest' && '--experimental-vm-modules --disable-warning=ExperimentalWarning',
];
const child = spawn(command, [...options, ...args], {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    PATH: [join(root, 'node_modules', '.bin'), process.env.PATH, ...checkerFolders].join(delimiter),
    NX_DAEMON: 'false',
    // Node caches sources without their types here, which halves the start time of a program.
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(root, 'node_modules/.cache/node'),
    NODE_OPTIONS: nodeOptions.filter(Boolean).join(' '),
  },
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    // A terminal sends Ctrl-C to the whole process group, the child included.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  });
}
child.on('error', (error) => {
  console.error(`setup: could not start ${command}: ${error.message}`);
  process.exit(127);
});
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 128 : 1)));
