import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  createCertificate,
  freePort,
  hasOpenssl,
  hasProgram,
  nginxSite,
  signToken,
  startHub,
  startNginx,
  temporaryFolder,
  waitFor,
  type HubProcess,
  type ReverseProxy,
} from '@openclaw/test-support';
import { suiteScope } from '@openclaw/test-support/scopes';
import { request } from 'node:https';

const secret = 'a-secret-for-tests-of-more-than-32-characters';
const ready = hasProgram('nginx') && hasOpenssl();

(ready ? describe : describe.skip)('nginx.conf (needs nginx and openssl)', () => {
  const scope = suiteScope();
  let hubs: HubProcess[];
  let port: number;
  let proxy: ReverseProxy;
  const token = signToken(secret, 'ana');

  /** The certificate is self-signed, so it is not verified. */
  const ask = (path: string, headers: Record<string, string> = {}) =>
    new Promise<{ status: number; headers: NodeJS.Dict<string | string[]> }>((resolve, reject) => {
      const options = { port, path, headers, host: '127.0.0.1', rejectUnauthorized: false };
      request(options, (response) => {
        response.resume();
        resolve({ status: response.statusCode ?? 0, headers: response.headers });
      })
        .on('error', reject)
        .end();
    });

  const upgrade = (origin: string) =>
    new Promise<number>((resolve, reject) => {
      const headers = {
        ...{
          connection: 'Upgrade',
          upgrade: 'websocket',
          origin,
          authorization: `Bearer ${token}`,
        },
        ...{ 'sec-websocket-version': '13', 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==' },
      };
      const path = '/chat/v1/ws';
      const options = { port, path, headers, host: '127.0.0.1', rejectUnauthorized: false };
      request(options, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      })
        .on('upgrade', (response, socket) => {
          socket.destroy();
          resolve(response.statusCode ?? 0);
        })
        .on('error', reject)
        .end();
    });

  beforeAll(async () => {
    port = await freePort();
    const database = await temporaryFolder('hubs');
    scope.defer(() => database.remove());
    const env = {
      HUB_DB_URL: `sqlite:${database.path}/hub.sqlite`,
      HUB_JWT_SECRET: secret,
      HUB_HOST: '127.0.0.1',
      HUB_TRUSTED_PROXIES: 'loopback',
      HUB_PUBLIC_URL: `https://127.0.0.1:${port}/chat`,
    };
    hubs = [await scope.use(startHub({ env })), await scope.use(startHub({ env }))];
    const certificate = createCertificate(database.path);
    const hubPorts = hubs.map((hub) => hub.port);
    const site = nginxSite({ port, hubPorts, certificate, path: '/chat/' });
    proxy = await startNginx(site, port);
    scope.defer(() => proxy.stop());
  });

  it('starts without a warning', () => {
    expect(proxy.output()).toBe('');
  });

  it('adds the slash to its path, and keeps readiness and metrics from clients', async () => {
    const redirect = await ask('/chat?x=1');
    expect([redirect.status, redirect.headers['location']]).toEqual([301, '/chat/?x=1']);
    for (const path of ['/chat/readyz', '/chat/metrics', '/readyz', '/metrics'])
      expect([path, (await ask(path)).status]).toEqual([path, 404]);
    expect((await ask('/chat/healthz')).status).toBe(200);
  });

  it('passes WebSockets on, refuses foreign pages, and serves on while one hub is gone', async () => {
    await expect(upgrade('https://evil.example.com')).resolves.toBe(403);
    await expect(upgrade(`https://127.0.0.1:${port}`)).resolves.toBe(101);
    await hubs[0]?.kill();
    const authorization = `Bearer ${token}`;
    for (let i = 0; i < 8; i += 1)
      expect((await ask('/chat/v1/channels', { authorization })).status).toBe(200);
    await hubs[0]?.restart();
    await waitFor(async () => (await ask('/chat/healthz')).status === 200, { what: 'both hubs' });
  });

  // If nginx passed on the claimed address, each request would count as another client's.
  it('lets the hub count failed sign-ins by client, whatever the client claims to be', async () => {
    const claim = (address: string) => ({ 'x-forwarded-for': address, authorization: 'Bearer no' });
    const statuses = [];
    for (let i = 0; i < 150; i += 1)
      statuses.push((await ask('/chat/v1/channels', claim(`203.0.113.${i}`))).status);
    expect(statuses).toContain(429);
  });
});
