import { once } from 'node:events';
import { get } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { methods } from '@openclaw/protocol';
import { startRedis, waitFor } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { startTestHub, temporaryDatabase } from '../testing/test-hub.ts';

const redis = closeAfterAll(await startRedis());
const database = closeAfterAll(await temporaryDatabase());
const hub = closeAfterAll(
  await startTestHub({
    HUB_DB_URL: database.url,
    REDIS_URL: redis.url,
    HUB_LIMIT_REACTION: '3/60',
  }),
);
await waitFor(() => hub.redis.available);

describe('REST', () => {
  it('holds a conversation: channel, members, messages, paging, edit, delete', async () => {
    const created = await hub.request('ana', 'POST', '/v1/channels', {
      channelId: 'rest',
      name: 'REST',
    });
    expect(created).toMatchObject({
      status: 201,
      body: { channel: { channelId: 'rest', createdBy: 'ana' } },
    });
    expect(await hub.request('ben', 'POST', '/v1/channels/rest/join')).toMatchObject({
      status: 200,
      body: { member: { agentId: 'ben' } },
    });
    const sent = [];
    for (const content of ['one', 'two', 'three']) {
      sent.push((await hub.request('ben', 'POST', '/v1/channels/rest/messages', { content })).body);
    }
    expect(sent.map(({ seq }) => seq as number)).toEqual([3, 4, 5]);
    const page = await hub.request('ana', 'GET', '/v1/channels/rest/messages?before=5&limit=1');
    expect(page.body).toMatchObject({ messages: [{ content: 'two' }], hasMore: true, head: 5 });
    const [{ messageId }] = sent;
    expect(
      await hub.request('ana', 'PATCH', `/v1/channels/rest/messages/${messageId}`, {
        content: 'x',
      }),
    ).toMatchObject({ status: 403 });
    expect(
      await hub.request('ben', 'PATCH', `/v1/channels/rest/messages/${messageId}`, {
        content: 'eins',
      }),
    ).toMatchObject({ status: 200, body: { seq: 6 } });
    expect(
      await hub.request('ana', 'DELETE', `/v1/channels/rest/messages/${messageId}`),
    ).toMatchObject({ status: 200, body: { seq: 7 } });
    expect((await hub.request('ana', 'GET', '/v1/channels/rest/log?after=6')).body).toMatchObject({
      events: [{ seq: 7 }],
      head: 7,
      hasMore: false,
    });
    expect(
      (await hub.request('ana', 'GET', '/v1/channels/rest/members?limit=1')).body,
    ).toMatchObject({ members: [{ agentId: 'ana' }], nextCursor: expect.any(String) });
    expect((await hub.request('ana', 'GET', '/v1/channels/rest/presence')).body).toMatchObject({
      presences: [],
      degraded: false,
    });
    expect(await hub.request('ana', 'POST', '/v1/channels/rest/typing', {})).toMatchObject({
      status: 200,
    });
    expect((await hub.request('ben', 'GET', '/v1/channels/rest/typing')).body).toEqual({
      agents: ['ana'],
      degraded: false,
    });
  });

  it('a live socket receives what REST posts', async () => {
    await using ana = await hub.connect('ana');
    await ana.call('channel.create', { channelId: 'mixed', name: 'Mixed' });
    await ana.call('subscribe', { topics: [{ channelId: 'mixed' }] });
    await hub.request('ana', 'POST', '/v1/channels/mixed/messages', { content: 'from curl' });
    expect(await ana.event(({ event }) => event.type === 'channel.message')).toMatchObject({
      event: { message: { content: 'from curl' } },
    });
  });

  it.each([
    ['GET', '/v1/channels/nowhere', undefined, 404, 'not_found'],
    ['GET', '/v1/channels/a:b', undefined, 400, 'invalid_params'],
    ['GET', '/v1/channels?limit=9999', undefined, 400, 'invalid_params'],
    ['GET', '/v1/channels?limit=ten', undefined, 400, 'invalid_params'],
    ['POST', '/v1/channels', { name: '' }, 400, 'invalid_params'],
    ['POST', '/v1/channels', { name: 'x', channelId: 'dm_x' }, 400, 'invalid_params'],
    ['POST', '/v1/nothing', {}, 404, 'not_found'],
    ['POST', '/v1/tokens', { sub: 'x' }, 403, 'forbidden'],
  ])('answers %s %s %j with %i %s', async (verb, path, body, status, code) => {
    expect(await hub.request('ana', verb, path, body)).toMatchObject({
      status,
      body: { error: { code } },
    });
  });

  it.each([
    ['PUT', '/v1/channels', 'GET, HEAD, POST'],
    ['GET', '/v1/call/ping', 'POST'],
    ['DELETE', '/v1/channels/rest/messages', 'GET, HEAD, POST'],
    ['POST', '/v1/openapi.json', 'GET, HEAD'],
    ['POST', '/healthz', 'GET, HEAD'],
    ['DELETE', '/v1/ws', 'GET, HEAD'],
  ])(
    'refuses %s %s with 405 and the allowed verbs, before the body is read',
    async (method, path, allow) => {
      const body = method === 'GET' ? null : 'not JSON';
      const response = await fetch(`${hub.url}${path}?agent=ana`, { method, body });
      expect(response.status).toBe(405);
      expect(new Set(response.headers.get('allow')?.split(', '))).toEqual(
        new Set(allow.split(', ')),
      );
      expect(await response.json()).toMatchObject({ error: { code: 'invalid_request' } });
    },
  );

  it('answers 426 at the address of the WebSocket when the request is no upgrade', async () => {
    const response = await fetch(`${hub.url}/v1/ws?agent=ana`);
    expect(response.status).toBe(426);
    expect(response.headers.get('upgrade')).toBe('websocket');
    expect(await response.json()).toMatchObject({ error: { code: 'invalid_request' } });
  });

  it('answers clearly to a body that is not JSON or too large', async () => {
    const post = (body: string) =>
      fetch(`${hub.url}/v1/channels?agent=ana`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
    expect((await post('{')).status).toBe(400);
    expect((await post(JSON.stringify({ name: 'x'.repeat(300_000) }))).status).toBe(413);
  });

  it('refuses a body that would pollute a prototype, and one whose content type is not JSON', async () => {
    const post = (body: string, type = 'application/json') =>
      fetch(`${hub.url}/v1/channels?agent=ana`, {
        method: 'POST',
        headers: { 'content-type': type },
        body,
      });
    for (const key of ['"__proto__":{"isAdmin":true}', '"constructor":{"prototype":{"a":1}}'])
      expect((await post(`{"name":"x",${key}}`)).status).toBe(400);
    for (const type of ['text/plain', 'application/x-www-form-urlencoded'])
      expect((await post('{"name":"x"}', type)).status).toBe(415);
  });

  it('forbids browsers and caches to store or interpret its answers', async () => {
    for (const path of ['/v1/channels', '/v1/channels/nowhere', '/v1/nothing', '/healthz']) {
      const { headers } = await hub.request('ana', 'GET', path);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
    for (const path of ['/v1/channels?agent=ana', '/v1/channels/nowhere?agent=ana', '/v1/channels'])
      expect((await fetch(`${hub.url}${path}`)).headers.get('cache-control')).toBe('no-store');
    expect((await fetch(`${hub.url}/v1/openapi.json`)).headers.get('cache-control')).toBeNull();
  });

  // With DNS rebinding, a foreign host name resolves to this machine. For the browser, the foreign page and the hub
  // then have the same origin.
  it('refuses a Host that is not loopback with 403 in dev mode', async () => {
    const statusFor = (host: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        get(`${hub.url}/v1/channels?agent=ana`, { headers: { host } }, (response) => {
          response.resume();
          resolve(response.statusCode);
        }).on('error', reject);
      });
    for (const host of ['evil.example.com', 'localhost.evil.com:8080'])
      expect(await statusFor(host)).toBe(403);
    for (const host of ['localhost', '127.0.0.1:1', '[::1]:8080'])
      expect(await statusFor(host)).toBe(200);
  });

  it('refuses a foreign Origin with 403 before it does anything', async () => {
    const post = (origin: string) =>
      fetch(`${hub.url}/v1/channels?agent=ana`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin },
        body: JSON.stringify({ channelId: 'by-a-page', name: 'x' }),
      });
    expect((await post('https://evil.example.com')).status).toBe(403);
    expect((await hub.request('ana', 'GET', '/v1/channels/by-a-page')).status).toBe(404);
    expect((await post(hub.url)).status).toBe(201);
  });

  it('does not wait for a request that is sent byte by byte, nor for endless headers', async () => {
    const answerTo = (sent: string) => {
      const socket = connect(Number(new URL(hub.url).port), '127.0.0.1');
      let received = '';
      socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
      socket.on('error', () => undefined);
      socket.write(sent);
      return once(socket, 'close').then(() => received.slice(0, 12));
    };
    const startMs = Date.now();
    const head = 'POST /v1/channels?agent=ana HTTP/1.1\r\nHost: localhost\r\n';
    const [slowHead, slowBody, largeHead] = await Promise.all([
      answerTo(head),
      answerTo(`${head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{`),
      answerTo(`${head}X: ${'x'.repeat(20_000)}\r\n\r\n`),
    ]);
    expect([slowHead, slowBody, largeHead]).toEqual([
      'HTTP/1.1 408',
      'HTTP/1.1 408',
      'HTTP/1.1 431',
    ]);
    expect(Date.now() - startMs).toBeLessThan(15_000);
  });

  it('reports the rest of a limit in standard RateLimit headers, and refuses with 429 and Retry-After', async () => {
    await hub.request('eve', 'POST', '/v1/channels', { channelId: 'limits', name: 'Limits' });
    const read = await hub.request('eve', 'GET', '/v1/channels/limits');
    expect(read.headers.get('ratelimit-policy')).toContain('q=6000;w=60');
    await using small = await startTestHub({
      HUB_DB_URL: database.url,
      REDIS_URL: redis.url,
      HUB_LIMIT_MESSAGE: '2/60',
    });
    const send = () => small.request('greedy', 'POST', '/v1/channels', { name: 'x' });
    expect((await send()).headers.get('ratelimit')).toContain('r=1');
    expect((await send()).headers.get('ratelimit')).toContain('r=0');
    const refused = await send();
    expect(refused).toMatchObject({ status: 429, body: { error: { code: 'rate_limited' } } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});

describe('the status of the hub', () => {
  it('is alive, ready with each dependency’s state, and measured', async () => {
    expect(await (await fetch(`${hub.url}/healthz`)).json()).toEqual({ status: 'ok' });
    const ready = await fetch(`${hub.url}/readyz`);
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({
      ready: true,
      database: { status: 'ok' },
      redis: { status: 'ok', breaker: 'closed', role: 'master' },
    });
    const metrics = await (await fetch(`${hub.url}/metrics`)).text();
    for (const name of [
      'hub_sockets',
      'hub_calls_total',
      'hub_deliveries_total',
      'hub_redis_available 1',
      'process_cpu_seconds_total',
    ]) {
      expect(metrics).toContain(name);
    }
  });

  it('serves an OpenAPI document that its validator accepts', async () => {
    const document = (await (await fetch(`${hub.url}/v1/openapi.json`)).json()) as Record<
      string,
      unknown
    >;
    const result = await new Validator().validate(document);
    expect(result).toMatchObject({ valid: true });
    expect(document).toMatchObject({
      components: {
        securitySchemes: { devAgent: { type: 'apiKey', in: 'query', name: 'agent' } },
      },
      security: [{ devAgent: [] }],
    });
    const paths = document['paths'] as Record<string, unknown>;
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining(['/v1/channels/{channelId}/messages', '/v1/tokens/{jti}']),
    );
  });

  it('serves the OpenRPC document of every method', async () => {
    const document = (await (await fetch(`${hub.url}/v1/openrpc.json`)).json()) as {
      methods: { name: string }[];
    };
    expect(document.methods.map(({ name }) => name).sort()).toEqual(Object.keys(methods).sort());
  });
});
