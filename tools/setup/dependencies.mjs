// Installs the workspace's npm packages, and a Node that is new enough. Plain JavaScript for Node 20.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const nodeVersion = '24.21.0';
const quiet = ['--no-fund', '--no-audit', '--loglevel=error'];

/** Runs `npm ci` only when the lockfile changed. Ends the process with 1 when that fails. */
export function installDependencies(root) {
  const modules = join(root, 'node_modules');
  const stamp = join(modules, '.openclaw-setup');
  /** npm scripts find this Node first. */
  const bundledNode = join(modules, '.bin', 'node');
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
  // A Node in this place means that the machine's own Node is too old. npm ci removes the installed Node, so it must
  // be installed again.
  const needsNode = isNodeTooOld() || existsSync(bundledNode);
  const isCurrent =
    existsSync(stamp) &&
    readFileSync(stamp, 'utf8') === lock &&
    (!needsNode || existsSync(bundledNode));
  if (isCurrent) return;
  console.error('setup: installing dependencies (npm ci)…');
  npm(root, 'ci', ...quiet);
  if (needsNode) installNode(root, bundledNode);
  writeFileSync(stamp, lock);
}

function npm(root, ...args) {
  const { status } = spawnSync('npm', args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) {
    console.error(`setup: "npm ${args.join(' ')}" failed, see above.`);
    process.exit(1);
  }
}

function isNodeTooOld() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major < 22 || (major === 22 && minor < 13);
}

/** A separate folder, because in the workspace Node's package would make npm ignore the lockfile. */
function installNode(root, link) {
  console.error(
    `setup: Node 22.13 or newer is needed; installing Node ${nodeVersion} in node_modules…`,
  );
  const folder = join(root, 'node_modules', '.openclaw-node');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  npm(root, 'install', '--prefix', folder, ...quiet, `node@${nodeVersion}`);
  const binary = join(folder, 'node_modules', 'node', 'bin', 'node');
  if (!existsSync(binary)) {
    console.error('setup: the npm package "node" has no binary; install Node 22.13 or newer.');
    process.exit(1);
  }
  symlinkSync(relative(join(link, '..'), binary), link);
}
