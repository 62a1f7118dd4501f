import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectRpc, freePort } from '@openclaw/test-support';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import { mintToken } from '../auth/mint.ts';
import {
  startTestHub,
  temporaryDatabase,
  type TestDatabase,
  type TestHub,
} from '../testing/test-hub.ts';

const secret = 'a-secret-for-tests-of-more-than-32-characters';
let database: TestDatabase;
let hub: TestHub;
let wsUrl: string;
let keyServer: Server;
let privateKey: CryptoKey;

beforeAll(async () => {
  database = await temporaryDatabase();
  const pair = await generateKeyPair('ES256', { extractable: true });
  privateKey = pair.privateKey;
  const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' };
  keyServer = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [jwk] }));
  });
  await new Promise<void>((resolve) => keyServer.listen(0, '127.0.0.1', resolve));
  const { port } = keyServer.address() as AddressInfo;
  hub = await startTestHub({
    HUB_DB_URL: database.url,
    HUB_HOST: '127.0.0.1',
    HUB_AUTH: 'jwt',
    HUB_JWT_SECRET: secret,
    HUB_JWKS_URL: `http://127.0.0.1:${port}/keys`,
    HUB_ALLOWED_ORIGINS: 'https://chat.example.com',
    REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
    LOG_LEVEL: 'error',
  });
  wsUrl = `${hub.url.replace('http', 'ws')}/v1/ws`;
});
afterAll(async () => {
  await hub?.close();
  keyServer?.close();
  await database?.remove();
});

const tokenFor = async (
  agentId: string,
  claims: { channels?: string[]; role?: 'admin'; ttlSeconds?: number } = {},
) => mintToken(secret, { agentId, ttlSeconds: 600, ...claims });
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
  it.each(['subprotocol', 'header', 'query'])('takes the token from the %s', async (place) => {
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

  it('takes an ES256 token whose key stands at the JWKS URL', async () => {
    const token = await new SignJWT({})
      .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
      .setSubject('keyed')
      .setExpirationTime('5m')
      .sign(privateKey);
    const socket = await connectAs(token);
    expect(socket.welcome.agentId).toBe('keyed');
    await socket.close();
  });

  it('refuses no token, a wrong one, an expired one, one without exp, and a sub that is no agentId: 401 or 4401', async () => {
    const key = new TextEncoder().encode(secret);
    const sign = (jwt: SignJWT) => jwt.setProtectedHeader({ alg: 'HS256' }).sign(key);
    const bad = [
      'nonsense',
      (
        await mintToken('another-secret-of-more-than-32-characters', {
          agentId: 'ana',
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

  it('does not heed ?agent= outside dev mode', async () => {
    await expect(connectRpc(`${wsUrl}?agent=ana`, { protocols: [] })).rejects.toThrow('401');
  });

  it('refuses a foreign Origin with 403, and takes this host’s and the allowed ones', async () => {
    const { token } = await tokenFor('ana');
    const open = (origin: string) =>
      connectRpc(wsUrl, { headers: { authorization: `Bearer ${token}`, origin } });
    await expect(open('https://evil.example.com')).rejects.toThrow('403');
    for (const origin of ['https://chat.example.com', hub.url]) await (await open(origin)).close();
  });

  it('closes 4401 when the token expires under a live socket', async () => {
    const { token } = await tokenFor('short', { ttlSeconds: 2 });
    const socket = await connectAs(token);
    expect((await socket.closed).code).toBe(4401);
  });

  it('a token’s channels bound everything', async () => {
    const owner = await connectAs((await tokenFor('owner')).token);
    for (const channelId of ['in-bounds', 'out-of-bounds']) {
      await owner.call('channel.create', { channelId, name: channelId });
      await owner.call('member.add', { channelId, agentId: 'bounded' });
    }
    const bounded = await connectAs((await tokenFor('bounded', { channels: ['in-bounds'] })).token);
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
    await Promise.all([owner.close(), bounded.close()]);
  });

  it('admins mint and revoke; a revocation ends live sockets with 4403 and bars new ones', async () => {
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

    expect((await api(admin, 'DELETE', '/v1/tokens?sub=leaver')).status).toBe(200);
    expect((await other.closed).code).toBe(4403);
  });
});
