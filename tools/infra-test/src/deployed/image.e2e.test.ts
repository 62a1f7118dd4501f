import { beforeAll, describe, expect, it } from '@jest/globals';
import { freePort, startProcess, temporaryFolder, waitFor } from '@openclaw/test-support';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runChecker } from '../checkers.ts';
import { buildImage, type BuiltImage } from './built-image.ts';

/** Throws when the hub begins to listen for SIGTERM, so that the stack trace contains positions in the bundle. */
const crashingPreload = `data:text/javascript,${encodeURIComponent(`
const on = process.on;
process.on = function (event, ...rest) {
  if (event === 'SIGTERM') throw new Error('crash for the test');
  return on.call(this, event, ...rest);
};`)}`;

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

  it('needs no node_modules', () => {
    expect(existsSync(join(image.workdir, 'node_modules'))).toBe(false);
  });

  it.each(['health/main', 'audit/main', 'commands/export', 'commands/erase'])(
    'has the program %s, which reports a missing setting or argument',
    async (program) => {
      const { code, output } = await runChecker(
        process.execPath,
        [join(image.workdir, 'apps/chat-hub/dist', `${program}.js`), '--unknown-argument'],
        { env: { PATH: process.env['PATH'] ?? '', ...image.env } },
      );
      expect(code).not.toBe(0);
      expect(output).not.toMatch(/Cannot find|ERR_MODULE/);
      expect(output).toMatch(/usage|HUB_|unknown-argument/);
    },
    30_000,
  );

  it('prints a crash with the positions of the sources', async () => {
    const { code, output } = await runChecker(
      process.execPath,
      ['--import', crashingPreload, join(image.workdir, 'apps/chat-hub/dist/main.js')],
      { env: { PATH: process.env['PATH'] ?? '', ...image.env, HUB_JWT_SECRET: 'x'.repeat(32) } },
    );
    expect(code).not.toBe(0);
    expect(output).toMatch(/in the sources: Error: crash for the test/);
    expect(output).toMatch(/apps\/chat-hub\/src\/\S+\.ts:\d+:\d+/);
  }, 30_000);

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
    // The default database is in the folder that the image gives its user.
    expect(existsSync(join(image.workdir, '.data/hub.sqlite'))).toBe(true);
    await hub.stop();
    expect(await hub.exited).toBe(0);
  }, 60_000);
});
