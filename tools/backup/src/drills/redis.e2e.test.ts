import { execFile } from 'node:child_process';
import { copyFile, cp, mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { startRedis, temporaryFolder, waitFor } from '@openclaw/test-support';
import { testScope } from '@openclaw/test-support/scopes';
import { run, succeed } from './drill.ts';

const scope = testScope();
const root = resolve(fileURLToPath(import.meta.url), '../../../../..');

function checkAof(args: readonly string[]): Promise<string> {
  return new Promise((done) => {
    execFile('redis-check-aof', [...args], (_error, stdout, stderr) => done(`${stdout}${stderr}`));
  });
}

describe('a Redis', () => {
  it('is backed up as RDB with the database, and starts from it', async () => {
    const folder = await scope.use(temporaryFolder('drill'));
    const redis = await scope.use(startRedis());
    const env = { HUB_DB_URL: `sqlite:${folder.path}/hub.sqlite`, REDIS_URL: redis.url };
    await succeed(['migrate'], env);
    await redis.command('SET openclaw:drill before');
    const to = join(folder.path, 'backups');
    const archive = await succeed(['backup', '--to', to, '--redis'], env);
    await redis.command('SET openclaw:drill after');
    expect(await run(['restore', '--from', to, '--check'], env)).toMatchObject({ code: 0 });
    const data = join(folder.path, 'restored');
    await mkdir(data);
    await copyFile(join(archive, 'redis.rdb'), join(data, 'dump.rdb'));
    const restored = await scope.use(startRedis({ args: ['--dir', data] }));
    expect(await restored.command('GET openclaw:drill')).toContain('before');
  });

  it('has a password that no output shows, and a user who may not take a snapshot is refused', async () => {
    const folder = await scope.use(temporaryFolder('drill'));
    const redis = await scope.use(startRedis());
    await redis.command('ACL SETUSER admin on >admin-word ~* &* +@all');
    await redis.command('ACL SETUSER default resetpass >s3cret-word -psync -sync -replconf');
    const url = redis.url.replace('redis://', 'redis://:s3cret-word@');
    const env = { HUB_DB_URL: `sqlite:${folder.path}/hub.sqlite`, REDIS_URL: url };
    await succeed(['migrate'], env);
    const to = join(folder.path, 'backups');
    const refused = await run(['backup', '--to', to, '--redis'], env);
    expect([refused.code, refused.output.includes('s3cret')]).toEqual([1, false]);
    const admin = { BACKUP_REDIS_USER: 'admin', BACKUP_REDIS_PASSWORD: 'admin-word' };
    const made = await run(['backup', '--to', to, '--redis'], { ...env, ...admin });
    expect([made.code, /s3cret|admin-word/.test(made.output)]).toEqual([0, false]);
  });

  it.each([
    ['yes', 'cuts off what came later'],
    ['no', 'cuts nothing, and calls the file valid'],
  ])('with aof-timestamp-enabled %s, redis-check-aof %s', async (timestamps) => {
    const folder = await scope.use(temporaryFolder('drill'));
    const data = join(folder.path, 'data');
    await mkdir(data);
    const options = ['--dir', data, '--appendonly', 'yes', '--appendfsync', 'always'];
    const args = [...options, '--aof-timestamp-enabled', timestamps];
    const redis = await scope.use(startRedis({ args }));
    const second = async () => Number(/\d{10}/.exec(await redis.command('TIME'))?.[0]);
    await redis.command('SET early 1');
    const at = await second();
    await waitFor(async () => (await second()) > at, { what: 'the next second' });
    await redis.command('SET late 1');
    await redis.kill();

    const cut = join(folder.path, 'cut');
    await cp(data, cut, { recursive: true });
    const manifest = join(cut, 'appendonlydir', 'appendonly.aof.manifest');
    const said = await checkAof(['--truncate-to-timestamp', String(at), manifest]);
    const restored = await scope.use(
      startRedis({
        args: ['--dir', cut, '--appendonly', 'yes', '--aof-timestamp-enabled', timestamps],
      }),
    );
    expect(await restored.command('GET early')).toContain('1');
    const late = await restored.command('EXISTS late');
    if (timestamps === 'yes') {
      expect(late).toBe(':0');
      expect(said).toMatch(/truncated/i);
    } else {
      expect(late).toBe(':1');
      expect(said).toMatch(/valid/i);
    }
  });

  it('of production writes timestamps', async () => {
    const conf = await readFile(join(root, 'infra/redis/redis.prod.conf'), 'utf8');
    expect(conf).toMatch(/^aof-timestamp-enabled yes$/m);
  });
});
