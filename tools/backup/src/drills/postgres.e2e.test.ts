import { execFileSync } from 'node:child_process';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { startHub, startPostgres, startRedis, temporaryFolder } from '@openclaw/test-support';
import { testScope } from '@openclaw/test-support/scopes';
import { backUpUnderLoad, channelId, expectRestored, openFleet, run, succeed } from './drill.ts';

const scope = testScope();

async function arrange() {
  const folder = await scope.use(temporaryFolder('drill'));
  const postgres = await scope.use(startPostgres());
  const env = { HUB_DB_URL: postgres.url, HUB_LIMIT_MESSAGE: '1000000/60' };
  return { postgres, env, to: join(folder.path, 'backups') };
}

describe('a PostgreSQL database', () => {
  it('is dumped under load, dropped and restored; clients start over by the epoch', async () => {
    const { postgres, env: database, to } = await arrange();
    const redis = await scope.use(startRedis());
    const env = { ...database, REDIS_URL: redis.url };
    const hub = await scope.use(startHub({ env }));
    const fleet = await scope.use(openFleet(hub));
    const backup = await backUpUnderLoad(fleet, to, env, () =>
      postgres.query(`create table ballast as select n, repeat(md5(n::text), 100) as bytes
        from generate_series(1, 20000) as s(n)`),
    );
    await fleet.ana.call('message.history', { channelId });
    const cached = `EXISTS openclaw:messages:${channelId}:recent openclaw:seq:messages:${channelId}`;
    expect(await redis.command(cached)).not.toBe(':0');

    expect(await run(['restore', '--from', to], env)).toMatchObject({
      code: 4,
      output: expect.stringContaining('stop every hub first'),
    });
    expect(await fleet.log()).toEqual(backup.former);
    await hub.kill();
    // The table `later` stands for one that a later release left behind.
    postgres.query(
      'drop schema public cascade; create schema public; create table later (id text)',
    );
    await succeed(['restore', '--from', to], env);
    expect(postgres.query(`select count(*) from pg_tables where tablename = 'later'`)).toBe('0');
    expect(await redis.command(`EXISTS openclaw:messages:${channelId}:recent`)).toBe(':0');
    await hub.restart();
    await expectRestored(fleet, backup);
  });

  it('stays as it was when its archive is damaged, or the restore fails half-way', async () => {
    const { postgres, env, to } = await arrange();
    await succeed(['migrate'], env);
    const archive = await succeed(['backup', '--to', to], env);
    postgres.query(`insert into meta values ('drill', 'later')`);
    const state = () => postgres.query('select name, value from meta order by name');
    const before = state();
    const dump = join(archive, 'database.dump');
    const whole = await readFile(dump);
    await writeFile(dump, whole.subarray(0, whole.length - 100));
    expect(await run(['restore', '--from', to], env)).toMatchObject({
      code: 3,
      output: expect.stringContaining('does not match its checksum'),
    });
    expect(state()).toBe(before);
    // The checksums match again, so only a check of the dump can find the damage.
    execFileSync('sh', ['-c', 'sha256sum database.dump manifest.json > SHA256SUMS'], {
      cwd: archive,
    });
    expect(await run(['restore', '--from', to], env)).toMatchObject({ code: 3 });
    expect(state()).toBe(before);
    await writeFile(dump, whole);
    execFileSync('sh', ['-c', 'sha256sum database.dump manifest.json > SHA256SUMS'], {
      cwd: archive,
    });
    // Another user's table has the name of one of the hub's indexes. The restore does not drop it, and fails after it
    // has dropped and filled the hub's tables.
    postgres.query(`alter index log_marks rename to log_marks_before; create role other;
      create table taken (n int); create index log_marks on taken (n); alter table taken owner to other`);
    expect(await run(['restore', '--from', to], env)).toMatchObject({
      code: 1,
      output: expect.stringContaining('"log_marks" already exists'),
    });
    expect(state()).toBe(before);
    // Negative control: without that table the restore succeeds.
    postgres.query('drop table taken');
    await succeed(['restore', '--from', to], env);
    expect(state()).not.toContain('later');
    expect(await readdir(to)).toContain('openclaw_backup.prom');
  });

  it('never shows its password', async () => {
    const { postgres, to } = await arrange();
    const url = postgres.url.replace('hub@', 'hub:s3cret-word@').replace(/:\d+\//, ':1/');
    for (const args of [
      ['backup', '--to', to],
      ['migrate', '--plan'],
      ['restore', '--new-epoch'],
    ]) {
      const { code, output } = await run(args, { HUB_DB_URL: url });
      expect([code, output.includes('s3cret')]).toEqual([1, false]);
    }
  });
});
