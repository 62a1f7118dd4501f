import { beforeAll, describe, expect, it } from '@jest/globals';
import { freePort, startProcess, temporaryFolder, waitFor } from '@openclaw/test-support';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runChecker } from '../checkers.ts';
import { buildImage, type BuiltImage } from './built-image.ts';

let image: BuiltImage;
beforeAll(async () => {
  image = await buildImage();
}, 1_200_000);

describe('the hub’s image', () => {
  it('holds no sources, no tests and no tools', async () => {
    const files = await readdir(image.workdir, { recursive: true });
    const own = files.filter((file) => !file.includes('node_modules/'));
    expect(own).toContain('apps/chat-hub/dist/main.js');
    expect(own).toContain('apps/web/dist/index.html');
    const foreign = own.filter(
      (file) =>
        /\.(test|contract)\.|(^|\/)(src|testing|e2e)(\/|$)|^tools/.test(file) ||
        (/\.tsx?$/.test(file) && !file.endsWith('.d.ts')),
    );
    expect(foreign).toEqual([]);
    expect(await readdir(join(image.workdir, 'apps'))).toEqual(['chat-hub', 'web']);
  });

  it('has no development dependency', () => {
    const modules = join(image.workdir, 'node_modules');
    for (const name of [
      'typescript',
      'jest',
      'nx',
      'eslint',
      'prettier',
      'vite',
      'preact',
      '@swc',
    ]) {
      expect([name, existsSync(join(modules, name))]).toEqual([name, false]);
    }
    for (const name of ['fastify', 'pg', 'ioredis', 'ws', '@openclaw/protocol']) {
      expect([name, existsSync(join(modules, name))]).toEqual([name, true]);
    }
  });

  it('starts alone as its own user, passes its health check, serves the web UI, and ends with 0', async () => {
    const port = await freePort();
    await using folder = await temporaryFolder('image');
    const env = {
      PATH: [dirname(process.execPath), process.env['PATH']].join(':'),
      HOME: folder.path,
      ...image.env,
      HUB_HOST: '127.0.0.1',
      HUB_PORT: String(port),
      HUB_JWT_SECRET: 'x'.repeat(32),
      REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
    };
    const [command = '', ...args] = image.command;
    const hub = startProcess(command, args, {
      cwd: image.workdir,
      env,
      ...(process.getuid?.() === 0 && image.user),
    });
    const [check = '', ...checkArgs] = image.healthCommand;
    const health = () => runChecker(check, checkArgs, { env });
    expect((await health()).code).not.toBe(0);
    await waitFor(async () => (await health()).code === 0 || hub.output().includes('Error'), {
      what: 'the health check',
      timeoutMs: 30_000,
      everyMs: 100,
    });
    expect(hub.output()).not.toContain('Error');
    const page = await fetch(`http://127.0.0.1:${port}/`);
    expect([page.status, await page.text()]).toEqual([
      200,
      expect.stringContaining('<!doctype html>'),
    ]);
    // The default database, in the folder that the image gives its user.
    expect(existsSync(join(image.workdir, '.data/hub.sqlite'))).toBe(true);
    await hub.stop();
    expect(await hub.exited).toBe(0);
  }, 60_000);
});
