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

/** Without these, the tests that need them are skipped. */
const optionalServers = [
  { debianPackage: 'prometheus', purpose: 'Prometheus' },
  { debianPackage: 'prometheus-alertmanager', purpose: 'Alertmanager' },
  { debianPackage: 'prometheus-redis-exporter', purpose: 'the Redis exporter' },
  { debianPackage: 'prometheus-postgres-exporter', purpose: 'the PostgreSQL exporter' },
].map((server) => ({ ...server, isThere: () => onPath(server.debianPackage) }));

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
 * Installs missing servers by apt-get as root. Otherwise prints what to install, and exits with 1 if the tests cannot do
 * without.
 */
export function installServers() {
  const all = [...servers, ...optionalServers];
  const missing = all.filter((server) => !server.isThere());
  if (missing.length === 0) return;
  const names = (list) => list.map((server) => server.purpose).join(', ');
  const packages = (list) => list.map((server) => server.debianPackage);
  const mayInstall = process.getuid?.() === 0 && onPath('apt-get');
  if (mayInstall) {
    console.error(
      `setup: installing ${names(missing)} (apt-get install ${packages(missing).join(' ')})…`,
    );
    // With this run level no installed service is started.
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
    const apt = (...args) =>
      spawnSync('apt-get', ['-qq', ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] })
        .status;
    apt('update');
    const install = (list) => apt('install', '-y', '--no-install-recommends', ...packages(list));
    // One missing package fails the whole command, so the optional ones have their own.
    for (const list of [servers, optionalServers]) {
      const wanted = list.filter((server) => !server.isThere());
      if (wanted.length > 0) install(wanted);
    }
  }
  const still = missing.filter((server) => !server.isThere());
  const needed = still.filter((server) => servers.includes(server));
  const report = (verb, list) =>
    console.error(
      `setup: the tests ${verb} ${names(list)}. ` +
        `On Debian or Ubuntu: sudo apt-get install ${packages(list).join(' ')}`,
    );
  if (needed.length > 0) {
    report('need', needed);
    process.exit(1);
  }
  if (still.length > 0) report('of monitoring are skipped without', still);
}
