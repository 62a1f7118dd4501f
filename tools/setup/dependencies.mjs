// Installs the workspace's npm packages, and Node if it is too old. This file must be plain JavaScript for Node 20.
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { runCommand } from './run-command.mjs';

const nodeVersion = '24.21.0';
const quiet = ['--no-fund', '--no-audit', '--loglevel=error'];

/** Runs `npm ci` when the lockfile changed since the last time. Resolves with false when that fails. */
export async function installDependencies(root) {
  const modules = join(root, 'node_modules');
  const stamp = join(modules, '.openclaw-setup');
  /** npm scripts find this Node first. */
  const bundledNode = join(modules, '.bin', 'node');
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
  // If this file exists, the machine's own Node was too old. npm ci removes the file, so Node must be installed again.
  const needsNode = isNodeTooOld() || existsSync(bundledNode);
  const isCurrent =
    existsSync(stamp) &&
    readFileSync(stamp, 'utf8') === lock &&
    (!needsNode || existsSync(bundledNode));
  if (isCurrent) return true;
  console.error('setup: installing dependencies (npm ci)…');
  if (!(await npm(root, 'ci', ...quiet))) return false;
  if (needsNode && !(await installNode(root, bundledNode))) return false;
  writeFileSync(stamp, lock);
  return true;
}

async function npm(root, ...args) {
  const options = { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] };
  const { status, error } = await runCommand('npm', args, options);
  if (status !== 0)
    console.error(`setup: "npm ${args.join(' ')}" failed: ${error?.message ?? 'see above'}.`);
  return status === 0;
}

function isNodeTooOld() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major < 22 || (major === 22 && minor < 13);
}

/** Installs Node into a separate folder. An installation in the workspace would make npm ignore the lockfile. */
async function installNode(root, link) {
  console.error(
    `setup: Node 22.13 or newer is needed; installing Node ${nodeVersion} in node_modules…`,
  );
  const folder = join(root, 'node_modules', '.openclaw-node');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  if (!(await npm(root, 'install', '--prefix', folder, ...quiet, `node@${nodeVersion}`)))
    return false;
  const binary = join(folder, 'node_modules', 'node', 'bin', 'node');
  if (!existsSync(binary)) {
    console.error('setup: the npm package "node" has no binary; install Node 22.13 or newer.');
    return false;
  }
  symlinkSync(relative(join(link, '..'), binary), link);
  return true;
}
