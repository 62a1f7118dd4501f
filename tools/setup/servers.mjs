// Installs the servers that the tests run against. Nothing is started here.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';

const servers = [
  { debianPackage: 'redis-server', purpose: 'Redis 7', isThere: () => onPath('redis-server') },
  {
    debianPackage: 'redis-sentinel',
    purpose: 'Redis Sentinel',
    isThere: () => onPath('redis-sentinel'),
  },
  {
    debianPackage: 'postgresql',
    purpose: 'PostgreSQL',
    isThere: () => onPath('initdb') || debianPostgres(),
  },
  {
    debianPackage: 'chromium',
    purpose: 'Chromium',
    isThere: () => onPath('chromium') || onPath('chromium-browser'),
  },
];

// The drills of the backup use these programs. Without pgBackRest its drill is skipped.
const drillPrograms = [
  { debianPackage: 'age', purpose: 'age', isThere: () => onPath('age') },
  { debianPackage: 'pgbackrest', purpose: 'pgBackRest', isThere: () => onPath('pgbackrest') },
];

function onPath(name) {
  return (process.env.PATH ?? '').split(':').some((folder) => existsSync(`${folder}/${name}`));
}

function debianPostgres() {
  const base = '/usr/lib/postgresql';
  return (
    existsSync(base) &&
    readdirSync(base).some((version) => existsSync(`${base}/${version}/bin/initdb`))
  );
}

/**
 * Installs missing servers, and the programs of the drills if asked, by apt-get as root. Otherwise prints what to
 * install; without a server it exits 1.
 */
export function installServers({ forDrills = false } = {}) {
  const needed = forDrills ? [...servers, ...drillPrograms] : servers;
  const missing = needed.filter((server) => !server.isThere());
  if (missing.length === 0) return;
  const packages = missing.map((server) => server.debianPackage);
  const mayInstall = process.getuid?.() === 0 && onPath('apt-get');
  if (mayInstall) {
    console.error(
      `setup: installing ${missing.map((server) => server.purpose).join(', ')} (apt-get install ${packages.join(' ')})…`,
    );
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const apt = (...args) =>
      spawnSync('apt-get', ['-qq', ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] })
        .status;
    apt('update');
    apt('install', '-y', '--no-install-recommends', ...packages);
  }
  const still = missing.filter((server) => !server.isThere());
  if (still.length === 0) return;
  console.error(
    `setup: the tests use ${still.map((server) => server.purpose).join(', ')}. ` +
      `On Debian or Ubuntu: sudo apt-get install ${still.map((server) => server.debianPackage).join(' ')}`,
  );
  if (still.some((server) => servers.includes(server))) process.exit(1);
}
