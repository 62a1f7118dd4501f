import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  connectRpc,
  freePort,
  hasProgram,
  startHub,
  startProcess,
  temporaryFolder,
  waitFor,
} from '@openclaw/test-support';
import { suiteScope } from '@openclaw/test-support/scopes';
import { runChecker } from '../checkers.ts';
import { readText, root } from '../repository.ts';

const configuration = join(root, 'infra/proxy/Caddyfile');

(hasProgram('caddy') ? describe : describe.skip)('Caddyfile (needs caddy)', () => {
  const scope = suiteScope();

  it('is formatted as Caddy writes it', async () => {
    const { code, output } = await runChecker('caddy', ['fmt', configuration]);
    expect([code, output]).toEqual([0, await readText('infra/proxy/Caddyfile')]);
  });

  it('passes requests and WebSockets on, and keeps readiness and metrics from clients', async () => {
    const [port, opsPort] = [await freePort(), await freePort()];
    const publicUrl = `http://127.0.0.1:${port}`;
    const hub = await scope.use(
      startHub({
        env: {
          HUB_OPS_PORT: String(opsPort),
          HUB_TRUSTED_PROXIES: 'loopback',
          HUB_PUBLIC_URL: `${publicUrl}/team/chat`,
        },
      }),
    );
    const folder = await temporaryFolder('caddy');
    scope.defer(() => folder.remove());
    const file = join(folder.path, 'Caddyfile');
    // Caddy's admin interface would listen on a fixed port.
    writeFileSync(file, `{\n\tadmin off\n}\nimport ${configuration}\n`);
    const caddy = startProcess('caddy', ['run', '--config', file, '--adapter', 'caddyfile'], {
      env: {
        ...{ PATH: process.env['PATH'], HOME: folder.path, SITE: publicUrl },
        ...{ HUB_1: `127.0.0.1:${hub.port}`, HUB_2: `127.0.0.1:${hub.port}` },
        HUB_OPS_PORT: String(opsPort),
      },
    });
    scope.defer(() => caddy.stop('SIGKILL'));
    const status = (path: string) => fetch(publicUrl + path).then((answer) => answer.status);
    await waitFor(async () => (await status('/healthz').catch(() => 0)) === 200, {
      what: `caddy: ${caddy.output()}`,
    });
    for (const path of ['/readyz', '/metrics', '/team/chat/readyz', '/team/chat/metrics'])
      expect([path, await status(path)]).toEqual([path, 404]);
    expect(await status('/team/chat/v1/channels?agent=ana')).toBe(200);
    for (const path of ['/v1/ws', '/team/chat/v1/ws']) {
      const address = `ws://127.0.0.1:${port}${path}?agent=ana`;
      await (await connectRpc(address, { headers: { origin: publicUrl } })).close();
    }
  });
});
