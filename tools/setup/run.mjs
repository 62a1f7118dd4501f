// Makes the workspace ready, then runs a command in it: `node tools/setup/run.mjs [--with-servers] [--with-web] <command> …`.
// Plain JavaScript that runs on Node 20, because it is what brings a newer Node where the machine's is too old.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installServers } from './servers.mjs';
import { buildPage } from './web.mjs';

const root = resolve(fileURLToPath(import.meta.url), '../../..');
const nodeVersion = '24.21.0';
const stamp = join(root, 'node_modules', '.openclaw-setup');
/** Where npm scripts and npx look first. */
const bundledNode = join(root, 'node_modules', '.bin', 'node');
const quietly = ['--no-fund', '--no-audit', '--loglevel=error'];

function npm(...args) {
  const { status } = spawnSync('npm', args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) {
    console.error(`setup: "npm ${args.join(' ')}" failed; its own message stands above.`);
    process.exit(1);
  }
}

function isNodeTooOld() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major < 22 || (major === 22 && minor < 13);
}

/**
 * In a folder of its own: beside the workspace npm would resolve every dependency anew, past the lockfile, and fail on
 * whichever newest version is not to be had.
 */
function bringNode() {
  console.error(
    `setup: Node ${process.versions.node} is too old (22.13 or newer is needed); bringing Node ${nodeVersion} into node_modules.`,
  );
  const folder = join(root, 'node_modules', '.openclaw-node');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  npm('install', '--prefix', folder, ...quietly, `node@${nodeVersion}`);
  const binary = join(folder, 'node_modules', 'node', 'bin', 'node');
  if (!existsSync(binary)) {
    console.error(
      'setup: the npm package "node" brought no binary; install Node 22.13 or newer and try again.',
    );
    process.exit(1);
  }
  symlinkSync(relative(join(bundledNode, '..'), binary), bundledNode);
}

function installDependencies() {
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
  // Started by the Node that was brought before, this one is new enough, and goes with the folder that npm ci empties.
  const wantsNode = isNodeTooOld() || existsSync(bundledNode);
  const isCurrent =
    existsSync(stamp) &&
    readFileSync(stamp, 'utf8') === lock &&
    (!wantsNode || existsSync(bundledNode));
  if (isCurrent) return;
  console.error('setup: installing dependencies (npm ci)…');
  npm('ci', ...quietly);
  if (wantsNode) bringNode();
  writeFileSync(stamp, lock);
}

const args = process.argv.slice(2);
const wanted = new Set();
while (['--with-servers', '--with-web'].includes(args[0])) wanted.add(args.shift());
const [command, ...rest] = args;
if (!command) {
  console.error(
    'usage: node tools/setup/run.mjs [--with-servers] [--with-web] <command> [argument …]',
  );
  process.exit(2);
}

installDependencies();
if (wanted.has('--with-servers')) installServers();
if (wanted.has('--with-web')) {
  const failure = buildPage();
  // A hub without its page, or with that of yesterday, is still a hub.
  if (failure !== null)
    console.error(`setup: ${failure} ("node tools/setup/web.mjs" shows it whole)`);
}

const path = [join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter);
const nodeOptions = [
  process.env.NODE_OPTIONS,
  command === 'jest' && '--experimental-vm-modules --disable-warning=ExperimentalWarning',
];
const child = spawn(command, rest, {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    PATH: path,
    NX_DAEMON: 'false',
    NODE_OPTIONS: nodeOptions.filter(Boolean).join(' '),
  },
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    // A terminal's Ctrl-C reaches the whole process group; only a signal sent to us alone must be passed on.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  });
}
child.on('error', (error) => {
  console.error(`setup: could not start ${command}: ${error.message}`);
  process.exit(127);
});
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 128 : 1)));
