// Installs the servers that the tests run against, and starts none.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { runCommand } from './run-command.mjs';

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

// Some tests are skipped without these programs. promtool checks the alert rules, and Python runs the Python client.
const checkPrograms = [
  { debianPackage: 'prometheus', purpose: 'Prometheus', isThere: () => onPath('promtool') },
  {
    debianPackage: 'prometheus-alertmanager',
    purpose: 'Alertmanager',
    isThere: () => onPath('amtool'),
  },
  {
    debianPackage: 'python3-venv',
    purpose: 'Python 3 with venv',
    isThere: () =>
      spawnSync('python3', ['-c', 'import venv, ensurepip'], { timeout: 10_000 }).status === 0,
  },
];

const drillPrograms = [
  {
    debianPackage: 'pgbouncer',
    purpose: 'PgBouncer',
    isThere: () => onPath('pgbouncer') || existsSync('/usr/sbin/pgbouncer'),
  },
  { debianPackage: 'age', purpose: 'age', isThere: () => onPath('age') },
  { debianPackage: 'pgbackrest', purpose: 'pgBackRest', isThere: () => onPath('pgbackrest') },
  {
    debianPackage: 'prometheus-redis-exporter',
    purpose: 'the Redis exporter',
    isThere: () => onPath('prometheus-redis-exporter'),
  },
  {
    debianPackage: 'prometheus-postgres-exporter',
    purpose: 'the PostgreSQL exporter',
    isThere: () => onPath('prometheus-postgres-exporter'),
  },
  {
    debianPackage: 'prometheus-node-exporter',
    purpose: 'the node exporter',
    isThere: () => onPath('prometheus-node-exporter'),
  },
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
 * Installs missing servers and checkers, and the programs of the drills if `forDrills`. Uses apt-get, which needs root.
 * Without root or apt-get, prints what to install. Resolves with false if a server is still missing.
 */
export async function installServers({ forDrills = false } = {}) {
  const optional = forDrills ? [...checkPrograms, ...drillPrograms] : checkPrograms;
  const needed = [...servers, ...optional];
  const missing = needed.filter((server) => !server.isThere());
  if (missing.length === 0) return true;
  const packages = missing.map((server) => server.debianPackage);
  const mayInstall = process.getuid?.() === 0 && onPath('apt-get');
  if (mayInstall) {
    console.error(
      `setup: installing ${missing.map((server) => server.purpose).join(', ')} (apt-get install ${packages.join(' ')})…`,
    );
    // With this run level apt does not start installed services.
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
    const apt = (...args) =>
      runCommand('apt-get', ['-qq', ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] });
    await apt('update');
    // One unavailable package makes a whole command fail, so each optional package has its own command.
    for (const list of [servers, ...optional.map((program) => [program])]) {
      const wanted = list.filter((server) => !server.isThere());
      if (wanted.length > 0)
        await apt(
          ...['install', '-y', '--no-install-recommends'],
          ...wanted.map((server) => server.debianPackage),
        );
    }
  }
  const still = missing.filter((server) => !server.isThere());
  if (still.length === 0) return true;
  console.error(
    `setup: the tests use ${still.map((server) => server.purpose).join(', ')}. ` +
      `On Debian or Ubuntu: sudo apt-get install ${still.map((server) => server.debianPackage).join(' ')}`,
  );
  return !still.some((server) => servers.includes(server));
}
