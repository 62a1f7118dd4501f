import { afterAll, describe, expect, it } from '@jest/globals';
import {
  createCertificate,
  freePort,
  hasProgram,
  nginxSite,
  signToken,
  startHaproxy,
  startHub,
  startNginx,
  startRedis,
  temporaryFolder,
  waitFor,
  type HubProcess,
} from '@openclaw/test-support';
import type { Page } from 'playwright-core';
import { useWorld } from '../testing/world.ts';

const secret = 'a-secret-for-tests-of-more-than-32-characters';
const production = { NODE_ENV: 'production', HUB_JWT_SECRET: secret, HUB_HOST: '127.0.0.1' };

const world = useWorld();
const endings: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const end of endings.reverse()) await end();
});

async function hubWith(env: Record<string, string>) {
  const hub = await startHub({ env: { HUB_WEB_DIR: world.pageDir, ...env } });
  endings.push(() => hub.stop());
  return hub;
}

async function nginxWith(http: string, port: number) {
  const nginx = await startNginx(http, port);
  endings.push(() => nginx.stop());
  return nginx;
}

const plainPass = (listen: number, hub: number, lines = '', path = '/') =>
  `server { listen 127.0.0.1:${listen}; location ${path} { proxy_pass http://127.0.0.1:${hub}/; ${lines} } }`;
const upgrading =
  'proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;';

async function signIn(page: Page, token: string) {
  await page.getByLabel('Access token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

async function talk(page: Page, name: string) {
  await page.locator('.workspace').waitFor();
  await page.getByRole('button', { name: 'Create a channel' }).first().click();
  await page.getByLabel('Name').fill(name);
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await page.getByRole('heading', { name }).waitFor();
  await page.locator('.conversation-column .composer textarea').fill('hello');
  await page.keyboard.press('Enter');
  await page.locator('.conversation .message', { hasText: 'hello' }).waitFor();
}

function watch(page: Page) {
  const addresses: string[] = [];
  page.on('request', (request) => addresses.push(request.url()));
  page.on('websocket', (socket) => addresses.push(socket.url()));
  const pageErrors: string[] = [];
  page.on('console', (message) => message.type() === 'error' && pageErrors.push(message.text()));
  return { addresses, pageErrors };
}

const describeWith = (program: string) => (hasProgram(program) ? describe : describe.skip);

describeWith('nginx')('the page behind nginx (needs nginx)', () => {
  it.each(['/', '/team/chat/'])(
    'signs in to a production hub with infra/proxy/nginx.conf at %s',
    async (path) => {
      const port = await freePort();
      const origin = `https://127.0.0.1:${port}`;
      const env = {
        ...production,
        HUB_PUBLIC_URL: origin + path,
        HUB_TRUSTED_PROXIES: 'loopback',
      };
      const hub = await hubWith(env);
      const folder = await temporaryFolder('tls');
      endings.push(() => folder.remove());
      const certificate = createCertificate(folder.path);
      await nginxWith(nginxSite({ port, hubPorts: [hub.port], certificate, path }), port);
      const page = await world.tab({ ignoreHTTPSErrors: true });
      const { addresses, pageErrors } = watch(page);
      await page.goto(origin + path.replace(/(.)\/$/, '$1'));
      await signIn(page, signToken(secret, 'ada'));
      await talk(page, 'Garden');
      await page.reload();
      await page.getByRole('heading', { name: 'Garden' }).waitFor();
      await page.getByRole('link', { name: 'Operations' }).click();
      await page.getByText('This view is for admins only.').waitFor();
      const sockets = addresses.filter((address) => address.startsWith('ws'));
      expect(new Set(sockets)).toEqual(new Set([`wss://127.0.0.1:${port}${path}v1/ws`]));
      const elsewhere = addresses.filter((address) => {
        const { pathname, protocol } = new URL(address);
        return protocol !== 'data:' && !`${pathname}/`.startsWith(path);
      });
      expect(elsewhere).toEqual([]);
      // Ada may not see the operations view, and the browser logs the hub's refusal.
      expect(pageErrors.filter((text) => !text.includes('403'))).toEqual([]);
    },
  );

  // The proxy of infra/ answers 404 to /readyz. With HUB_OPS_PORT, the hub itself does so. The page then learns from
  // answers of the hub that Redis is away.
  it('says that Redis is away, though infra/proxy/nginx.conf hides the readiness', async () => {
    const port = await freePort();
    const redis = await startRedis();
    endings.push(() => redis.stop());
    const origin = `https://127.0.0.1:${port}`;
    const hub = await hubWith({ ...production, HUB_PUBLIC_URL: origin, REDIS_URL: redis.url });
    const folder = await temporaryFolder('tls');
    endings.push(() => folder.remove());
    const certificate = createCertificate(folder.path);
    await nginxWith(nginxSite({ port, hubPorts: [hub.port], certificate, path: '/' }), port);
    const page = await world.tab({ ignoreHTTPSErrors: true });
    let hasAsked = false;
    page.on('websocket', (socket) =>
      socket.on('framereceived', ({ payload }) => {
        hasAsked ||= /"agents":\[[^\]]*\],"degraded":false/.test(String(payload));
      }),
    );
    await page.goto(origin);
    await signIn(page, signToken(secret, 'ada'));
    await talk(page, 'Garden');
    await waitFor(() => hasAsked, { timeoutMs: 20_000, what: 'an answer with Redis' });
    await redis.kill();
    await page.getByText('Redis is unavailable').waitFor();
  });

  it('works below a path without any setting, where the proxy removes the path and keeps the Host', async () => {
    const port = await freePort();
    const hub = await hubWith({});
    const lines = `${upgrading} proxy_set_header Host $http_host;`;
    await nginxWith(plainPass(port, hub.port, lines, '/chat/'), port);
    const page = await world.tab();
    await page.goto(`http://127.0.0.1:${port}/chat/`);
    await page.getByLabel('Your name').fill('ada');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await talk(page, 'Garden');
  });

  it('does not give the token of one hub to another hub of the same origin', async () => {
    const port = await freePort();
    const [one, two] = [await hubWith({}), await hubWith({})];
    const lines = `${upgrading} proxy_set_header Host $http_host;`;
    const locations = [one, two].map(
      ({ port: hub }, index) =>
        `location /${index}/ { proxy_pass http://127.0.0.1:${hub}/; ${lines} }`,
    );
    await nginxWith(`server { listen 127.0.0.1:${port}; ${locations.join(' ')} }`, port);
    const page = await world.tab();
    await page.goto(`http://127.0.0.1:${port}/0/`);
    await page.getByLabel('Your name').fill('ada');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.locator('.workspace').waitFor();
    await page.goto(`http://127.0.0.1:${port}/1/`);
    await page.getByLabel('Your name').waitFor();
    await page.goto(`http://127.0.0.1:${port}/0/`);
    await page.locator('.workspace').waitFor();
  });

  // nginx puts its own name for the hub into Host, so the page's Origin does not match it.
  it('works behind a plain proxy_pass that changes the Host, once the public URL is set', async () => {
    const port = await freePort();
    const hub = await hubWith({ HUB_PUBLIC_URL: `http://127.0.0.1:${port}` });
    await nginxWith(plainPass(port, hub.port, upgrading), port);
    const page = await world.tab();
    await page.goto(`http://127.0.0.1:${port}/`);
    await page.getByLabel('Your name').fill('ada');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await talk(page, 'Garden');
  });

  it('says what is missing behind a plain proxy_pass: the public URL, or the Upgrade header', async () => {
    const [port, passing] = [await freePort(), await freePort()];
    const hub = await hubWith({ HUB_PUBLIC_URL: `http://127.0.0.1:${passing}` });
    const sites = [plainPass(port, hub.port, upgrading), plainPass(passing, hub.port)];
    await nginxWith(sites.join('\n'), port);
    for (const [at, sentence] of [
      [port, /HUB_PUBLIC_URL/],
      [passing, /the proxy before it must pass on the headers Upgrade and Connection/],
    ] as const) {
      const page = await world.tab();
      await page.goto(`http://127.0.0.1:${at}/`);
      await page.getByLabel('Your name').fill('ada');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('alert').getByText(sentence).waitFor();
    }
  });

  it('says that the hub behind the proxy does not answer', async () => {
    const port = await freePort();
    const hub = await hubWith({});
    const lines = `${upgrading} proxy_set_header Host $http_host;`;
    await nginxWith(plainPass(port, hub.port, lines), port);
    const page = await world.tab();
    await page.goto(`http://127.0.0.1:${port}/`);
    await page.getByText('This is a development hub').waitFor();
    await hub.kill();
    await page.getByLabel('Your name').fill('ada');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').getByText('HTTP 502').waitFor();
  });
});

describeWith('haproxy')('the page behind HAProxy (needs haproxy)', () => {
  it.each(['/', '/team/chat/'])(
    'signs in to two production hubs with infra/proxy/haproxy.cfg at %s',
    async (path) => {
      const port = await freePort();
      const opsPorts = [await freePort(), await freePort()] as const;
      const database = await temporaryFolder('hubs');
      endings.push(() => database.remove());
      const hubs: HubProcess[] = [];
      for (const opsPort of opsPorts) {
        const env = {
          ...production,
          HUB_DB_URL: `sqlite:${database.path}/hub.sqlite`,
          HUB_OPS_PORT: String(opsPort),
          HUB_PUBLIC_URL: `http://127.0.0.1:${port}${path}`,
          HUB_TRUSTED_PROXIES: 'loopback',
        };
        hubs.push(await hubWith(env));
      }
      const [one, two] = hubs as [HubProcess, HubProcess];
      const proxy = await startHaproxy({ port, hubPorts: [one.port, two.port], opsPorts });
      endings.push(() => proxy.stop());
      const page = await world.tab();
      await page.goto(`http://127.0.0.1:${port}${path}`);
      await signIn(page, signToken(secret, 'ada'));
      await talk(page, 'Garden');
    },
  );
});
