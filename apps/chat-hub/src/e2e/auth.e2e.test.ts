import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { connectRpc } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { mintFor } from '../testing/mint.ts';
import { noRedis, startTestHub } from '../testing/test-hub.ts';

const secret = 'a-secret-for-tests-of-more-than-32-characters';

const pair = await generateKeyPair('ES256', { extractable: true });
const privateKey = pair.privateKey;
const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' };
const jwks = JSON.stringify({ keys: [jwk] });
const keyServer = closeAfterAll(
  createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end(jwks);
  }),
);
await new Promise<void>((resolve) => keyServer.listen(0, '127.0.0.1', resolve));
const { port } = keyServer.address() as AddressInfo;
const hub = closeAfterAll(
  await startTestHub({
    HUB_HOST: '127.0.0.1',
    HUB_AUTH: 'jwt',
    HUB_JWT_SECRET: secret,
    HUB_JWKS_URL: `http://127.0.0.1:${port}/keys`,
    HUB_ALLOWED_ORIGINS: 'https://chat.example.com',
    ...noRedis,
  }),
);
const { wsUrl } = hub;

const tokenFor = async (
  agentId: string,
  claims: { channels?: string[]; role?: 'admin'; ttlSeconds?: number } = {},
) => mintFor(secret, { sub: agentId, ttlSeconds: 600, ...claims });
const keyedToken = (kid: string) =>
  new SignJWT({})
    .setProtectedHeader({ alg: 'ES256', kid })
    .setSubject('keyed')
    .setExpirationTime('5m')
    .sign(privateKey);
const connectAs = (token: string) =>
  connectRpc(wsUrl, { protocols: ['openclaw.v1', `bearer.${token}`] });
const api = (token: string | null, verb: string, path: string, body?: unknown) =>
  fetch(`${hub.url}${path}`, {
    method: verb,
    headers: {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });

describe('sign-in by JWT', () => {
  it.each(['subprotocol', 'header', 'query'])('accepts the token from the %s', async (place) => {
    const { token } = await tokenFor('ana');
    const socket =
      place === 'subprotocol'
        ? await connectAs(token)
        : place === 'header'
          ? await connectRpc(wsUrl, { headers: { authorization: `Bearer ${token}` } })
          : await connectRpc(`${wsUrl}?access_token=${token}`);
    expect(socket.welcome.agentId).toBe('ana');
    expect(socket.ws.protocol).toBe('openclaw.v1');
    await socket.close();
  });

  it('accepts an ES256 token whose key is at the JWKS URL', async () => {
    await using socket = await connectAs(await keyedToken('k1'));
    expect(socket.welcome.agentId).toBe('keyed');
  });

  it('refuses a missing, wrong or expired token, one without exp, and a sub that is not an agentId: 401 or 4401', async () => {
    const key = new TextEncoder().encode(secret);
    const sign = (jwt: SignJWT) => jwt.setProtectedHeader({ alg: 'HS256' }).sign(key);
    const bad = [
      'nonsense',
      (
        await mintFor('another-secret-of-more-than-32-characters', {
          sub: 'ana',
          ttlSeconds: 60,
        })
      ).token,
      await sign(
        new SignJWT({}).setSubject('ana').setExpirationTime(Math.floor(Date.now() / 1000) - 60),
      ),
      await sign(new SignJWT({}).setSubject('ana')),
      await sign(new SignJWT({}).setSubject('a:b').setExpirationTime('5m')),
      `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{"sub":"ana","exp":9999999999}').toString('base64url')}.`,
    ];
    for (const token of bad) {
      const socket = await connectRpc(wsUrl, {
        protocols: ['openclaw.v1', `bearer.${token}`],
        waitForWelcome: false,
      });
      expect((await socket.closed).code).toBe(4401);
      expect((await api(token, 'GET', '/v1/channels')).status).toBe(401);
    }
    await expect(connectRpc(wsUrl, { protocols: [] })).rejects.toThrow('401');
    expect((await api(null, 'GET', '/v1/channels')).status).toBe(401);
  });

  it('ignores ?agent= outside dev mode', async () => {
    await expect(connectRpc(`${wsUrl}?agent=ana`, { protocols: [] })).rejects.toThrow('401');
  });

  it('refuses a foreign Origin with 403, and accepts this host’s and the allowed ones', async () => {
    const { token } = await tokenFor('ana');
    const open = (origin: string) =>
      connectRpc(wsUrl, { headers: { authorization: `Bearer ${token}`, origin } });
    await expect(open('https://evil.example.com')).rejects.toThrow('403');
    for (const origin of ['https://chat.example.com', hub.url]) await (await open(origin)).close();
  });

  it('refuses a foreign Origin of a REST call with 403, with and without a token', async () => {
    const { token } = await tokenFor('ana');
    const from = (origin: string | null, authorization: string | null = `Bearer ${token}`) =>
      fetch(`${hub.url}/v1/channels`, {
        headers: { ...(origin && { origin }), ...(authorization && { authorization }) },
      });
    for (const origin of ['https://evil.example.com', 'null', 'file://', `${hub.url}.evil.com`]) {
      const refused = await from(origin);
      expect([refused.status, await refused.json()]).toMatchObject([
        403,
        { error: { code: 'forbidden' } },
      ]);
    }
    expect((await from('https://evil.example.com', null)).status).toBe(403);
    for (const origin of [null, 'https://chat.example.com', hub.url])
      expect((await from(origin)).status).toBe(200);
  });

  it('says that an expired token has expired, even if a JWKS URL is configured', async () => {
    const expired = await new SignJWT({})
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject('ana')
      .setExpirationTime(Math.floor(Date.now() / 1000) - 60)
      .sign(new TextEncoder().encode(secret));
    const refused = await api(expired, 'GET', '/v1/channels');
    expect([refused.status, await refused.json()]).toMatchObject([
      401,
      { error: { code: 'unauthorized', message: 'the token has expired' } },
    ]);
  });

  it('never repeats a token in an answer', async () => {
    const { token } = await tokenFor('ana');
    for (const path of [
      `/v1/channels/%ff?access_token=${token}`,
      `/v1/${'x'.repeat(300)}/?access_token=${token}`,
      `/v1/channels/${'x'.repeat(300)}?access_token=${token}`,
      `/v1/nothing?access_token=${token}`,
      `//v1/channels?access_token=${token}`,
      `/v1/channels?access_token=${token}&limit=ten`,
      `/v1/channels?access_token=${token}broken`,
    ]) {
      const answer = await fetch(`${hub.url}${path}`);
      const text = await answer.text();
      expect([400, 401, 404, 414]).toContain(answer.status);
      expect(JSON.parse(text)).toMatchObject({ error: { code: expect.any(String) } });
      expect(text).not.toContain(token.slice(-20));
    }
  });

  it('documents both ways to send the token, and no dev sign-in', async () => {
    const document = (await (await fetch(`${hub.url}/v1/openapi.json`)).json()) as {
      components: { securitySchemes: object };
      security: object[];
    };
    expect(document.components.securitySchemes).toEqual({
      bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
      accessToken: expect.objectContaining({ type: 'apiKey', in: 'query', name: 'access_token' }),
    });
    expect(document.security).toEqual([{ bearer: [] }, { accessToken: [] }]);
  });

  it('closes a live socket with 4401 when its token expires', async () => {
    const { token } = await tokenFor('short', { ttlSeconds: 2 });
    const socket = await connectAs(token);
    expect((await socket.closed).code).toBe(4401);
  });

  it('limits a token to its channels in every method', async () => {
    await using owner = await connectAs((await tokenFor('owner')).token);
    for (const channelId of ['in-bounds', 'out-of-bounds']) {
      await owner.call('channel.create', { channelId, name: channelId });
      await owner.call('member.add', { channelId, agentId: 'bounded' });
    }
    await using bounded = await connectAs(
      (await tokenFor('bounded', { channels: ['in-bounds'] })).token,
    );
    await expect(
      bounded.call('message.send', { channelId: 'in-bounds', content: 'x' }),
    ).resolves.toMatchObject({ duplicate: false });
    for (const [method, params] of [
      ['message.send', { content: 'x' }],
      ['message.history', {}],
      ['log.read', { after: 0 }],
      ['typing.start', {}],
      ['presence.list', {}],
      ['channel.get', {}],
    ] as const) {
      await expect(
        bounded.call(method, { channelId: 'out-of-bounds', ...params }),
      ).rejects.toMatchObject({ code: 'forbidden' });
    }
    const { topics } = await bounded.call('subscribe', {
      topics: [{ channelId: 'out-of-bounds' }],
    });
    expect(topics[0].error.code).toBe('forbidden');
    const { channels } = await bounded.call('channel.list', {});
    expect(channels.map((channel: { channelId: string }) => channel.channelId)).toEqual([
      'in-bounds',
    ]);
  });

  it('lets admins mint and revoke; a revocation closes live sockets with 4403 and refuses new ones', async () => {
    const admin = (await tokenFor('root', { role: 'admin' })).token;
    const plain = (await tokenFor('plain')).token;
    expect((await api(plain, 'POST', '/v1/tokens', { sub: 'x' })).status).toBe(403);
    const minted = await api(admin, 'POST', '/v1/tokens', { sub: 'leaver', ttlSeconds: 60 });
    expect(minted.status).toBe(201);
    const { token, jti } = (await minted.json()) as { token: string; jti: string };
    const socket = await connectAs(token);
    const other = await connectAs((await tokenFor('leaver')).token);
    expect((await api(admin, 'DELETE', `/v1/tokens/${jti}`)).status).toBe(200);
    expect((await socket.closed).code).toBe(4403);
    await expect(other.call('ping')).resolves.toBeDefined();
    expect((await api(token, 'GET', '/v1/channels')).status).toBe(401);
    const again = await connectRpc(wsUrl, {
      protocols: ['openclaw.v1', `bearer.${token}`],
      waitForWelcome: false,
    });
    expect((await again.closed).code).toBe(4403);
    await expect(connectRpc(`${wsUrl}?access_token=${token}`, { protocols: [] })).rejects.toThrow(
      '401',
    );

    expect((await api(admin, 'DELETE', '/v1/tokens?sub=leaver')).status).toBe(200);
    expect((await other.closed).code).toBe(4403);
  });

  it('does not let an admin limited to channels mint, revoke or send global events', async () => {
    const { token } = await tokenFor('local', { role: 'admin', channels: ['only'] });
    expect((await api(token, 'POST', '/v1/tokens', { sub: 'x', role: 'admin' })).status).toBe(403);
    expect((await api(token, 'DELETE', '/v1/tokens/some-jti')).status).toBe(403);
    expect((await api(token, 'DELETE', '/v1/tokens?sub=x')).status).toBe(403);
    await using socket = await connectAs(token);
    const toEveryone = { channelId: null, name: 'x', payload: {} };
    await expect(socket.call('collaboration.emit', toEveryone)).rejects.toMatchObject({
      code: 'forbidden',
    });
    await using root = await connectAs((await tokenFor('root', { role: 'admin' })).token);
    await expect(root.call('collaboration.emit', toEveryone)).resolves.toEqual({ seq: null });
  });
});

describe('a key server that fails', () => {
  it('leads to 503 or 4503 with a retry time, until it answers again', async () => {
    type Answer = (response: ServerResponse) => void;
    const failures: Record<string, Answer> = {
      'answers 500': (response) => response.writeHead(500).end(jwks),
      'answers no JSON': (response) => response.end('<html>'),
      'answers no key set': (response) => response.end('{"keys":"none"}'),
      'hangs up': (response) => response.destroy(),
      'does not answer': () => undefined,
    };
    let give: Answer = () => undefined;
    const server = createServer((_request, response) => give(response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await using keyed = await startTestHub({
      HUB_HOST: '127.0.0.1',
      HUB_JWKS_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`,
      REDIS_URL: noRedis.REDIS_URL,
      LOG_LEVEL: 'fatal',
    });
    const connectKeyed = async (kid: string) => {
      const socket = await connectRpc(keyed.wsUrl, {
        protocols: ['openclaw.v1', `bearer.${await keyedToken(kid)}`],
        waitForWelcome: false,
      });
      return socket;
    };
    const get = async (kid: string) =>
      fetch(`${keyed.url}/v1/channels`, {
        headers: { authorization: `Bearer ${await keyedToken(kid)}` },
      });
    try {
      for (const [name, failure] of Object.entries(failures)) {
        give = failure;
        const [rest, closed] = await Promise.all([
          get('k1'),
          connectKeyed('k1').then((socket) => socket.closed),
        ]);
        expect([name, rest.status, closed.code]).toEqual([name, 503, 4503]);
        expect(Number(rest.headers.get('retry-after'))).toBeGreaterThan(0);
        expect(await rest.json()).toMatchObject({ error: { code: 'unavailable' } });
        expect(JSON.parse(closed.reason)).toEqual({ afterMs: expect.any(Number) });
      }
      give = (response) => response.end(jwks);
      expect((await get('k1')).status).toBe(200);
      expect((await get('unknown')).status).toBe(401);
      expect((await (await connectKeyed('unknown')).closed).code).toBe(4401);
      expect((await fetch(`${keyed.url}/v1/channels`)).status).toBe(401);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });
});
