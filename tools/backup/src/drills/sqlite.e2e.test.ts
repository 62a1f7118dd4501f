import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from '@jest/globals';
import { startHub, temporaryFolder, waitFor } from '@openclaw/test-support';
import { testScope } from '@openclaw/test-support/scopes';
import { backUpUnderLoad, expectRestored, openFleet, run, startCommand, succeed } from './drill.ts';

const scope = testScope();

async function arrange() {
  const folder = await scope.use(temporaryFolder('drill'));
  const path = join(folder.path, 'data', 'hub.sqlite');
  const env = { HUB_DB_URL: `sqlite:${path}`, HUB_LIMIT_MESSAGE: '1000000/60' };
  return { folder: folder.path, path, env, to: join(folder.path, 'backups') };
}

async function damage(path: string): Promise<void> {
  const bytes = await readFile(path);
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(path, bytes);
}

const archivesIn = (folder: string) =>
  readdirSync(folder).filter((name) => name.startsWith('hub-'));

/** Adds random bytes, so that a copy takes a while. */
function addBallast(path: string, megabytes: number): void {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA busy_timeout = 10000; create table ballast (bytes blob)');
  for (let n = 0; n < megabytes; n++)
    database.exec('insert into ballast values (randomblob(1000000))');
  database.close();
}

describe('a SQLite database', () => {
  it('is backed up under load, destroyed and restored; clients start over by the epoch', async () => {
    const { path, env, to } = await arrange();
    const hub = await scope.use(startHub({ env }));
    const fleet = await scope.use(openFleet(hub));
    const backup = await backUpUnderLoad(fleet, to, env, () => addBallast(path, 60));

    // The restore is refused while a hub uses the database, even if the hub hangs.
    expect(await run(['restore', '--from', to], env)).toMatchObject({ code: 4 });
    hub.freeze();
    expect(await run(['restore', '--from', to], env)).toMatchObject({
      code: 4,
      output: expect.stringContaining('stop every hub first'),
    });
    hub.thaw();
    expect((await fleet.log()).length).toBe(backup.former.length);
    await hub.kill();
    await writeFile(path, 'no database any more');

    // The command must open the database to find out if a hub uses it. It cannot open a damaged file.
    const unsure = await run(['restore', '--from', to], env);
    expect([unsure.code, unsure.output.includes('--force')]).toEqual([1, true]);
    await succeed(['restore', '--from', to, '--force'], env);
    await hub.restart();
    const { restored, manifest } = await expectRestored(fleet, backup);
    const takenAtMs = Date.parse(manifest.takenAt);
    const timeOf = (one: unknown) => (one as { timestamp: number }).timestamp;
    expect(Math.max(...restored.map(timeOf))).toBeLessThanOrEqual(takenAtMs);
  });

  it('is not restored from a damaged archive', async () => {
    const { env, to } = await arrange();
    await succeed(['migrate'], env);
    const archive = await succeed(['backup', '--to', to], env);
    // Negative control: the undamaged archive passes.
    expect(await run(['restore', '--from', to, '--check'], env)).toMatchObject({ code: 0 });
    const before = new Map(readdirSync(join(to, '..', 'data')).map((name) => [name, true]));
    for (const name of ['database.sqlite', 'manifest.json']) {
      const whole = await readFile(join(archive, name));
      await damage(join(archive, name));
      for (const more of [[], ['--check']]) {
        expect(await run(['restore', '--from', to, ...more], env)).toMatchObject({
          code: 3,
          output: expect.stringContaining(`${name} does not match its checksum`),
        });
      }
      await writeFile(join(archive, name), whole);
    }
    await writeFile(join(archive, 'SHA256SUMS'), '');
    expect(await run(['restore', '--from', to], env)).toMatchObject({ code: 3 });
    expect(new Map(readdirSync(join(to, '..', 'data')).map((name) => [name, true]))).toEqual(
      before,
    );
  });

  it('is restored from the newest archive at or before a time; old archives are removed', async () => {
    const { path, env, to } = await arrange();
    await succeed(['migrate'], env);
    const nameRow = (name: string) => {
      const database = new DatabaseSync(path);
      database.exec(`insert or replace into meta values ('drill', '${name}')`);
      database.close();
    };
    const taken: number[] = [];
    for (const name of ['first', 'second', 'third']) {
      nameRow(name);
      await succeed(['backup', '--to', to], env);
      taken.push(Date.now());
    }
    const row = () => {
      const database = new DatabaseSync(path);
      const found = database.prepare(`select value from meta where name = 'drill'`).get();
      database.close();
      return found?.['value'];
    };
    await succeed(['restore', '--from', to, '--at', new Date(taken[1] ?? 0).toISOString()], env);
    expect(row()).toBe('second');
    await succeed(['restore', '--from', to], env);
    expect(row()).toBe('third');
    const early = await run(['restore', '--from', to, '--at', '2020-01-01T00:00:00Z'], env);
    expect([early.code, early.output.includes('the oldest is hub-')]).toEqual([1, true]);
    await succeed(['backup', '--to', to, '--keep', '2'], env);
    expect(archivesIn(to)).toHaveLength(2);
    await succeed(['backup', '--to', to, '--keep-days', '1'], env);
    expect(archivesIn(to)).toHaveLength(3);
    const metric = await readFile(join(to, 'openclaw_backup.prom'), 'utf8');
    const time = /^openclaw_backup_last_success_timestamp_seconds (\S+)$/m.exec(metric)?.[1];
    expect(Math.abs(Number(time) * 1000 - Date.now())).toBeLessThan(60_000);
    expect(metric).toMatch(/^openclaw_backup_archives 3$/m);
  });

  it('is encrypted for a recipient, and no key is printed', async () => {
    const { folder, path, env, to } = await arrange();
    await succeed(['migrate'], env);
    const database = new DatabaseSync(path);
    database.exec(`insert into meta values ('drill', 'a secret text')`);
    database.close();
    const identity = join(folder, 'identity.txt');
    execFileSync('age-keygen', ['-o', identity], { stdio: 'pipe' });
    const key = readFileSync(identity, 'utf8');
    const recipient = /age1\w+/.exec(key)?.[0] ?? '';
    const made = await run(['backup', '--to', to], { ...env, BACKUP_AGE_RECIPIENT: recipient });
    expect(made.code).toBe(0);
    const archive = join(to, archivesIn(to)[0] ?? '');
    expect(readdirSync(archive).sort()).toEqual([
      'SHA256SUMS',
      'database.sqlite.age',
      'manifest.json',
    ]);
    for (const name of readdirSync(archive)) {
      expect(readFileSync(join(archive, name)).includes('a secret text')).toBe(false);
    }
    // Negative control: without encryption the text is found.
    const plain = await succeed(['backup', '--to', join(folder, 'plain')], env);
    expect(readFileSync(join(plain, 'database.sqlite')).includes('a secret text')).toBe(true);

    expect(await run(['restore', '--from', to], env)).toMatchObject({ code: 2 });
    const other = join(folder, 'other.txt');
    execFileSync('age-keygen', ['-o', other], { stdio: 'pipe' });
    const refused = await run(['restore', '--from', to, '--identity', other], env);
    expect(refused.code).toBe(1);
    const restored = await run(['restore', '--from', to, '--identity', identity], env);
    expect(restored.code).toBe(0);
    for (const { output } of [made, refused, restored])
      expect(output).not.toContain('AGE-SECRET-KEY');
  });

  it('leaves no half archive when the backup is interrupted', async () => {
    const { path, env, to } = await arrange();
    await succeed(['migrate'], env);
    addBallast(path, 150);
    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      const backup = startCommand(['backup', '--to', to], env);
      await waitFor(
        () => {
          const [partial] = safely(() =>
            readdirSync(to).filter((name) => name.startsWith('.partial-')),
          );
          return (
            partial && safely(() => readdirSync(join(to, partial))).includes('database.sqlite')
          );
        },
        { what: 'a copy that has begun' },
      );
      backup.signal(signal);
      expect(await backup.exited).toBe(code);
      expect(readdirSync(to)).toEqual([]);
    }
    await succeed(['backup', '--to', to], env);
    expect(archivesIn(to)).toHaveLength(1);
  });

  it('says what is wrong with its options and its configuration', async () => {
    const { env, to } = await arrange();
    for (const args of [
      ['backup'],
      ['backup', '--to', to, '--keep', '0'],
      ['backup', '--into', to],
      ['restore', '--from', to, '--at', 'yesterday'],
      ['restore', '--from', to, '--new-epoch'],
    ]) {
      expect([args, (await run(args, env)).code]).toEqual([args, 2]);
    }
    expect(await run(['backup', '--to', to], { HUB_DB_URL: 'mysql:x' })).toMatchObject({ code: 2 });
    expect(await run(['backup', '--to', to], env)).toMatchObject({
      code: 1,
      output: expect.stringContaining('there is no database'),
    });
    for (const name of ['backup', 'restore', 'migrate']) {
      const { code, output } = await run([name, '--help'], env);
      expect([code, output]).toEqual([0, expect.stringContaining(`npm run ${name}`)]);
    }
  });
});

function safely(read: () => string[]): string[] {
  try {
    return read();
  } catch {
    return [];
  }
}
