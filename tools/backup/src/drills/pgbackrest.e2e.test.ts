import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { startHub, startPostgres, temporaryFolder, waitFor } from '@openclaw/test-support';
import { testScope } from '@openclaw/test-support/scopes';
import { expectResync, lostOf, openFleet, succeed } from './drill.ts';

const scope = testScope();
const root = resolve(fileURLToPath(import.meta.url), '../../../../..');
const isInstalled = existsSync('/usr/bin/pgbackrest');
if (!isInstalled) console.warn('pgBackRest is not installed, so its drill is skipped');

/** Finds a line of docs/backup.md by its beginning: the drill runs the page's own commands. */
async function documented(begin: string): Promise<string> {
  const page = await readFile(join(root, 'docs/backup.md'), 'utf8');
  const line = page.split('\n').find((one) => one.startsWith(begin));
  if (line === undefined) throw new Error(`docs/backup.md has no line ${begin}…`);
  return line;
}

async function arrange() {
  const folder = await scope.use(temporaryFolder('pgbackrest'));
  const postgres = await scope.use(startPostgres(['archive_mode=on']));
  const data = postgres.query('show data_directory');
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres']).toString());
  const user = process.getuid?.() === 0 ? { uid: id('-u'), gid: id('-g') } : {};
  const own = async (path: string) => {
    if (user.uid !== undefined) await chown(path, user.uid, user.gid);
  };
  await chmod(folder.path, 0o755);
  const places = { repository: '', spool: '', lock: '' };
  for (const name of ['repository', 'spool', 'lock'] as const) {
    places[name] = join(folder.path, name);
    await mkdir(places[name]);
    await own(places[name]);
  }
  const { repository, spool, lock } = places;
  const config = join(folder.path, 'pgbackrest.conf');
  const template = await readFile(join(root, 'infra/postgres/pgbackrest.conf'), 'utf8');
  const connection = ['port', 'socket-path', 'user', 'database'].map((name, at) => {
    const value = [postgres.port, dirname(data), 'hub', 'postgres'][at];
    return `pg1-${name}=${value}\n`;
  });
  await writeFile(
    config,
    template
      .replace('/var/lib/pgbackrest', repository)
      .replace('/var/lib/postgresql/15/main', data)
      .replace('[global]', `[global]\nlock-path=${lock}\nspool-path=${spool}`)
      .concat(...connection),
  );
  const archive = await readFile(join(root, 'infra/postgres/archive.conf'), 'utf8');
  const withConfig = (command: string) =>
    command.replace('pgbackrest ', `pgbackrest --config=${config} `);
  const [, push = ''] = /^archive_command = '(.*)'$/m.exec(archive) ?? [];
  postgres.query(`alter system set archive_command = '${withConfig(push)}'`);
  postgres.query('select pg_reload_conf()');
  return {
    postgres,
    data,
    runs: (command: string) =>
      execFileSync('sh', ['-c', withConfig(command)], {
        ...user,
        cwd: repository,
        stdio: 'pipe',
      }).toString(),
  };
}

(isInstalled ? describe : describe.skip)(
  'a PostgreSQL database with pgBackRest (needs pgbackrest)',
  () => {
    it('is restored to a second, with the log of that second', async () => {
      const { postgres, data, runs } = await arrange();
      const env = { HUB_DB_URL: postgres.url };
      const hub = await scope.use(startHub({ env }));
      const fleet = await scope.use(openFleet(hub));
      await fleet.send('before the backup');
      runs(await documented('pgbackrest --stanza=openclaw stanza-create'));
      runs(await documented('pgbackrest --stanza=openclaw check'));
      runs(await documented('pgbackrest --stanza=openclaw --type=full backup'));
      for (let n = 0; n < 30; n++) await fleet.send(`kept ${n}`);
      const kept = await fleet.log();

      // `second` is the beginning of a full second of the database's clock. The messages above were committed before
      // it, and the messages below are committed after it.
      const clock = () =>
        postgres.query(`select to_char(clock_timestamp(), 'YYYY-MM-DD HH24:MI:SSOF')`);
      const before = clock();
      const second = await waitFor(() => (clock() === before ? null : clock()), {
        what: 'the next second',
      });
      await waitFor(() => clock() !== second, { what: 'the end of that second' });
      for (let n = 0; n < 10; n++) await fleet.send(`lost ${n}`);
      const former = await fleet.log();
      const epoch = fleet.ben.welcome?.epoch ?? '';
      const segment = postgres.query('select pg_walfile_name(pg_current_wal_lsn())');
      postgres.query('select pg_switch_wal()');
      await waitFor(
        () =>
          postgres.query(
            'select last_archived_wal >= $$' + segment + '$$ from pg_stat_archiver',
          ) === 't',
        { what: 'the archive of the log', timeoutMs: 30_000 },
      );

      await hub.kill();
      await postgres.kill();
      await rm(join(data, 'base'), { recursive: true });
      const restore = await documented('pgbackrest --stanza=openclaw --type=time');
      runs(restore.replace(/--target="[^"]*"/, `--target="${second}"`));
      await postgres.restart();
      await waitFor(() => postgres.query('select pg_is_in_recovery()') === 'f', {
        what: 'the end of the recovery',
        timeoutMs: 60_000,
      });
      await succeed(
        (await documented('npm run restore -- --new-epoch'))
          .split(' ')
          .slice(2)
          .filter((word) => word !== '--'),
        env,
      );
      await hub.restart();
      await fleet.reconnect();
      const restored = await fleet.log();
      expect(restored.length).toBe(kept.length);
      const lost = lostOf(former, restored);
      expect(lost.map(({ event }) => event.message.content)).toEqual(
        Array.from({ length: 10 }, (_, n) => `lost ${n}`),
      );
      await expectResync(fleet, epoch, restored);
    });
  },
);
