import { describe, expect, it } from '@jest/globals';
import { connectRpc } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { mintFor } from '../testing/mint.ts';
import { noRedis, startTestHub, temporaryDatabase } from '../testing/test-hub.ts';

const secret = 'a-secret-for-tests-of-more-than-32-characters';
const dashboard = 'https://dash.example.com';
const preview = 'https://pr-17.preview.example.com';
const foreign = 'https://evil.example.org';

const database = closeAfterAll(await temporaryDatabase());
const hub = closeAfterAll(
  await startTestHub({
    HUB_DB_URL: database.url,
    HUB_JWT_SECRET: secret,
    HUB_ALLOWED_ORIGINS: `${dashboard}, https://*.preview.example.com`,
    HUB_LIMIT_MESSAGE: '4/60',
    ...noRedis,
  }),
);
const { token } = await mintFor(secret, { sub: 'ana', ttlSeconds: 600 });
const authorization = `Bearer ${token}`;

const preflight = (path: string, origin: string | null, method = 'POST') =>
  fetch(`${hub.url}${path}`, {
    method: 'OPTIONS',
    headers: {
      ...(origin !== null && { origin }),
      'access-control-request-method': method,
      'access-control-request-headers': 'authorization,content-type',
    },
  });
const sharedWith = ({ headers }: Response) => headers.get('access-control-allow-origin');

describe('a page of an allowed origin', () => {
  it('may send every REST request: its preflight needs no sign-in', async () => {
    for (const origin of [dashboard, preview]) {
      for (const path of ['/v1/channels', '/v1/channels/hall/messages', '/v1/tokens/x']) {
        const answer = await preflight(path, origin, 'DELETE');
        expect([path, answer.status, sharedWith(answer)]).toEqual([path, 204, origin]);
        expect(await answer.text()).toBe('');
        const { headers } = answer;
        expect(headers.get('access-control-allow-methods')).toMatch(/\bDELETE\b/);
        expect(headers.get('access-control-allow-headers')).toMatch(/authorization, content-type/);
        expect(headers.get('vary')).toBe('origin');
        expect(headers.get('access-control-allow-credentials')).toBeNull();
      }
    }
  });

  it('may use REST and WebSocket alike, and reads answers and refusals with their headers', async () => {
    const request = (method: string, path: string, body?: string) =>
      fetch(`${hub.url}${path}`, {
        method,
        headers: { origin: dashboard, authorization, 'content-type': 'application/json' },
        ...(body !== undefined && { body }),
      });
    const create = await request('POST', '/v1/channels', '{"channelId":"hall","name":"Hall"}');
    expect([create.status, sharedWith(create)]).toEqual([201, dashboard]);
    const send = () => request('POST', '/v1/channels/hall/messages', '{"content":"hi"}');
    const sent = await send();
    expect([sent.status, sharedWith(sent)]).toEqual([201, dashboard]);
    let limited = await send();
    for (let i = 0; i < 8 && limited.status !== 429; i += 1) limited = await send();
    expect([limited.status, sharedWith(limited)]).toEqual([429, dashboard]);
    const exposed = limited.headers.get('access-control-expose-headers')?.split(', ') ?? [];
    for (const name of ['retry-after', 'x-request-id', 'ratelimit'])
      expect([name, limited.headers.has(name), exposed.includes(name)]).toEqual([name, true, true]);

    const refusals = [
      await request('GET', '/v1/nothing'),
      await request('PUT', '/v1/channels'),
      await request('POST', '/v1/channels', '{'),
      await fetch(`${hub.url}/v1/channels`, { headers: { origin: dashboard } }),
    ];
    expect(refusals.map(({ status }) => status)).toEqual([404, 405, 400, 401]);
    expect(refusals.map(sharedWith)).toEqual([dashboard, dashboard, dashboard, dashboard]);
    const documented = await request('GET', '/v1/openapi.json');
    expect([documented.status, sharedWith(documented)]).toEqual([200, dashboard]);
    const socket = await connectRpc(hub.wsUrl, { headers: { authorization, origin: dashboard } });
    await socket.close();
  });
});

describe('a page of any other origin', () => {
  it('gets no preflight and no answer to read (the control)', async () => {
    for (const origin of [foreign, 'https://preview.example.com', 'null']) {
      const answer = await preflight('/v1/channels', origin);
      expect([origin, answer.status, sharedWith(answer)]).toEqual([origin, 403, null]);
      const read = await fetch(`${hub.url}/v1/channels`, { headers: { origin, authorization } });
      expect([origin, read.status, sharedWith(read)]).toEqual([origin, 403, null]);
    }
  });

  it('gets the reason of a refused WebSocket by POST, which carries its Origin', async () => {
    const post = (origin: string) =>
      fetch(`${hub.url}/v1/ws`, { method: 'POST', headers: { origin } });
    const refused = await post(foreign);
    expect([refused.status, refused.headers.has('x-request-id')]).toEqual([403, true]);
    expect(await refused.text()).toContain('HUB_PUBLIC_URL');
    expect((await post(hub.url)).status).toBe(405);
  });
});

describe('OPTIONS', () => {
  it('is refused when it is no preflight', async () => {
    const plain = await fetch(`${hub.url}/v1/channels`, { method: 'OPTIONS' });
    expect([plain.status, sharedWith(plain)]).toEqual([404, null]);
    expect((await preflight('/v1/channels', null)).status).toBe(404);
    expect((await preflight('/healthz', dashboard)).status).toBe(404);
  });
});
