import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { connectRpc, waitFor } from '@openclaw/test-support';
import { SignJWT, type JWTPayload } from 'jose';
import { pino } from 'pino';
import { parseConfig } from '../config.ts';
import { startHub } from '../start-hub.ts';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { mintFor } from '../testing/mint.ts';
import { runCommand } from '../testing/run-command.ts';
import { noRedis, startTestHub, temporaryDatabase, type TestHub } from '../testing/test-hub.ts';

const secret = 'a-secret-for-tests-of-more-than-32-characters';
const issuer = 'https://issuer.example.com/realm';
const seconds = () => Math.floor(Date.now() / 1000);

const sign = (claims: JWTPayload, key = secret) =>
  new SignJWT({ sub: 'ana', iat: seconds(), exp: seconds() + 60, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(key));
/** Sets these claims to undefined, which removes the defaults of `sign`. */
const without = (...names: string[]) => Object.fromEntries(names.map((name) => [name, undefined]));

const api = async (hub: TestHub, token: string, verb: string, path: string, body?: unknown) => {
  const answer = await fetch(`${hub.url}${path}`, {
    method: verb,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests look into answers freely
  return { status: answer.status, body: (await answer.json()) as any };
};
const quiet = { HUB_HOST: '127.0.0.1', ...noRedis, LOG_LEVEL: 'silent' };
async function startLogged(level: string, environment: Readonly<Record<string, string>>) {
  const { url } = closeAfterAll(await temporaryDatabase());
  let text = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  const config = parseConfig({
    ...{ ...noRedis, HUB_HOST: '127.0.0.1', HUB_PORT: '0', HUB_DB_URL: url },
    ...environment,
  });
  return { hub: await startHub(config, pino({ level }, stream)), output: () => text };
}

const admin = async () =>
  (await mintFor(secret, { sub: 'root', role: 'admin', ttlSeconds: 600 })).token;

describe('a token', () => {
  it('that is refused gets the reason, over REST and as a close reason, and nothing of its content', async () => {
    await using hub = await startTestHub({
      ...quiet,
      HUB_JWT_SECRET: secret,
      HUB_JWT_ISSUER: issuer,
      HUB_JWT_AUDIENCE: 'chat, other',
    });
    const good = { iss: issuer, aud: 'chat' };
    const private_ = 'only-the-signer-knows';
    const cases: [JWTPayload, string][] = [
      [{ ...good, ...without('exp') }, 'the token has no claim "exp"'],
      [{ ...good, ...without('sub') }, 'the token has no claim "sub"'],
      [{ ...good, ...without('aud') }, 'the token has no claim "aud"'],
      [{ ...good, ...without('iss') }, 'the token has no claim "iss"'],
      [{ ...good, exp: seconds() - 60 }, 'the token has expired'],
      [{ ...good, nbf: seconds() + 60 }, 'the token is not valid yet (claim "nbf")'],
      [{ ...good, iat: seconds() + 60 }, 'the token was issued in the future (claim "iat")'],
      [{ ...good, aud: private_ }, 'the token is for another audience (claim "aud")'],
      [{ ...good, iss: private_ }, 'the token is of another issuer (claim "iss")'],
      [{ ...good, sub: `${private_}:` }, 'the token\'s claim "sub" cannot be used'],
      [{ ...good, sub: 'hub' }, 'the token\'s claim "sub" cannot be used'],
      [{ ...good, kind: private_ }, 'the token\'s claim "kind" cannot be used'],
      [{ ...good, channels: private_ }, 'the token\'s claim "channels" cannot be used'],
    ];
    for (const [claims, reason] of cases) {
      const token = await sign(claims);
      const { status, body } = await api(hub, token, 'GET', '/v1/channels');
      expect([status, body.error]).toEqual([401, { code: 'unauthorized', message: reason }]);
      const socket = await connectRpc(hub.wsUrl, {
        ...{ protocols: ['openclaw.v1', `bearer.${token}`], waitForWelcome: false },
      });
      expect(await socket.closed).toEqual({ code: 4401, reason });
    }
    for (const [token, reason] of [
      ['nonsense', 'this is not a JWT'],
      [
        await sign(good, `${secret}2`),
        'the signature of the token does not match a key of this hub',
      ],
      [
        await new SignJWT(good)
          .setProtectedHeader({ alg: 'HS512' })
          .sign(new TextEncoder().encode(secret)),
        'the token must be signed with HS256',
      ],
    ] as const) {
      const { body } = await api(hub, token, 'GET', '/v1/channels');
      expect(body.error.message).toBe(reason);
    }
    for (const aud of ['chat', ['x', 'other']]) {
      const { status } = await api(hub, await sign({ ...good, aud }), 'GET', '/v1/channels');
      expect(status).toBe(200);
    }
  });

  it('of an issuer with other claims has its role, kind and channels there', async () => {
    await using hub = await startTestHub({
      ...quiet,
      HUB_JWT_SECRET: secret,
      HUB_JWT_ROLE_CLAIM: 'realm_access.roles',
      HUB_JWT_KIND_CLAIM: 'https://chat.example.com/kind',
      HUB_JWT_CHANNELS_CLAIM: 'rooms',
      HUB_JWT_ADMIN_ROLE: 'chat-admin',
    });
    const kind = { 'https://chat.example.com/kind': 'person' };
    const socketOf = async (claims: JWTPayload) =>
      connectRpc(`${hub.wsUrl}?access_token=${await sign(claims)}`);
    await using person = await socketOf({ ...kind, kind: 'service' });
    expect(person.welcome.kind).toBe('person');
    const statusOf = async (claims: JWTPayload) =>
      (await api(hub, await sign(claims), 'GET', '/v1/tokens')).status;
    expect(await statusOf({ realm_access: { roles: ['user', 'chat-admin'] } })).toBe(200);
    expect(await statusOf({ 'realm_access.roles': 'chat-admin' })).toBe(200);
    expect(await statusOf({ realm_access: { roles: ['admin'] } })).toBe(403);
    expect(await statusOf({ role: 'admin' })).toBe(403);
    expect(await statusOf({ realm_access: [] })).toBe(403);
    await using bounded = await socketOf({ rooms: ['only'] });
    await expect(
      bounded.call('channel.create', { channelId: 'x', name: 'X' }),
    ).rejects.toMatchObject({ code: 'forbidden' });
    const root = await sign({ realm_access: { roles: ['chat-admin'] } });
    const { body } = await api(hub, root, 'POST', '/v1/tokens', {
      ...{ sub: 'kim', role: 'admin', kind: 'person' },
    });
    expect((await api(hub, body.token, 'GET', '/v1/audit')).status).toBe(200);
    await using kim = await connectRpc(`${hub.wsUrl}?access_token=${body.token}`);
    expect(kim.welcome.kind).toBe('person');
  });
});

describe('a hub at its start', () => {
  it('warns when any token of the key server’s issuer is accepted', async () => {
    const lines = async (environment: Record<string, string>) => {
      const { hub, output } = await startLogged('warn', environment);
      await hub.close();
      return output();
    };
    const HUB_JWKS_URL = 'http://127.0.0.1:1/keys';
    expect(await lines({ HUB_JWKS_URL })).toContain(
      'HUB_JWT_ISSUER and HUB_JWT_AUDIENCE not set: any token',
    );
    const complete = { HUB_JWKS_URL, HUB_JWT_ISSUER: issuer, HUB_JWT_AUDIENCE: 'chat' };
    expect(await lines(complete)).not.toContain('not set');
    expect(await lines({ HUB_JWT_SECRET: secret })).not.toContain('not set');
  });
});

describe('minted tokens', () => {
  const database = temporaryDatabase();
  const hubs = (async () => {
    const { url } = closeAfterAll(await database);
    const environment = { ...quiet, HUB_JWT_SECRET: secret, HUB_DB_URL: url };
    return [
      closeAfterAll(await startTestHub(environment)),
      closeAfterAll(await startTestHub(environment)),
    ] as const;
  })();

  it('are listed with minter, jti and use, for admins only', async () => {
    const [hub, other] = await hubs;
    const root = await admin();
    const { body: token } = await api(hub, root, 'POST', '/v1/tokens', {
      ...{ sub: 'lister', kind: 'service', channels: ['ops'] },
    });
    const list = async () =>
      (await api(other, root, 'GET', '/v1/tokens?sub=lister')).body.tokens as unknown[];
    const entry = {
      ...{ jti: token.jti, sub: 'lister', minter: 'root', kind: 'service', role: null },
      ...{ channels: ['ops'], expiresAt: token.expiresAt, mintedAt: expect.any(Number) },
      ...{ lastUsedAt: null, revoked: false },
    };
    expect(await list()).toEqual([entry]);
    expect((await api(hub, token.token, 'GET', '/v1/tokens')).status).toBe(403);
    await waitFor(async () => {
      const [found] = (await list()) as [{ lastUsedAt: number | null }];
      return found.lastUsedAt !== null;
    });
    expect((await api(hub, root, 'GET', '/v1/tokens?limit=0')).status).toBe(400);
    expect((await api(hub, root, 'GET', '/v1/tokens?limit=9999')).status).toBe(400);
    expect((await api(hub, root, 'GET', '/v1/tokens?cursor=none')).body.tokens).toEqual([]);
  });

  it('are revoked by minter or before a time on all hubs, live sockets within two seconds', async () => {
    const [hub, other] = await hubs;
    const root = await admin();
    const mintAs = async (minter: string, sub: string) =>
      (await mintFor(secret, { ...{ sub, minter, ttlSeconds: 600 } })).token;
    const socketOn = (at: TestHub, token: string) =>
      connectRpc(at.wsUrl, { protocols: ['openclaw.v1', `bearer.${token}`] });
    const token = await mintAs('ops-bot', 'one');
    const theirs = await socketOn(other, token);
    const others = await socketOn(other, await mintAs('another-bot', 'two'));
    const startMs = performance.now();
    expect((await api(hub, root, 'DELETE', '/v1/tokens?minter=ops-bot')).status).toBe(200);
    expect(await theirs.closed).toEqual({ code: 4403, reason: 'the token was revoked' });
    expect(performance.now() - startMs).toBeLessThan(2_000);
    await expect(others.call('ping')).resolves.toBeDefined();
    expect((await api(other, token, 'GET', '/v1/channels')).body.error.message).toBe(
      'the token was revoked',
    );

    const soon = Date.now();
    await waitFor(() => Date.now() > soon);
    const later = await socketOn(other, await mintAs('another-bot', 'two'));
    const query = `sub=two&before=${soon}`;
    expect((await api(hub, root, 'DELETE', `/v1/tokens?${query}`)).status).toBe(200);
    expect((await others.closed).code).toBe(4403);
    await expect(later.call('ping')).resolves.toBeDefined();
    await later.close();
  });

  it('may be minted right after a revocation of their agent', async () => {
    const [hub] = await hubs;
    const root = await admin();
    for (let round = 0; round < 5; round += 1) {
      await api(hub, root, 'DELETE', '/v1/tokens?sub=again');
      const { body } = await api(hub, root, 'POST', '/v1/tokens', { sub: 'again' });
      expect((await api(hub, body.token, 'GET', '/v1/channels')).status).toBe(200);
    }
  });

  it('are not minted for the hub, whose events no agent may send', async () => {
    const { status, body } = await api((await hubs)[0], await admin(), 'POST', '/v1/tokens', {
      sub: 'hub',
    });
    expect([status, body.error]).toMatchObject([400, { code: 'invalid_params' }]);
  });

  it('are not revoked without a name, nor by two', async () => {
    const [hub] = await hubs;
    const root = await admin();
    for (const query of [
      '',
      '?',
      '?sub=',
      '?sub=a&minter=b',
      '?sbu=a&before=1',
      '?before=soon',
      '?before=-1',
      '?jti=x',
    ])
      expect([query, (await api(hub, root, 'DELETE', `/v1/tokens${query}`)).status]).toEqual([
        query,
        400,
      ]);
    const both = await api(hub, root, 'DELETE', '/v1/tokens?sub=a&minter=b');
    expect(both.body.error.message).toBe('name sub or minter, not both');
    const late = await api(hub, root, 'DELETE', '/v1/tokens?sub=a&before=soon');
    expect(late.body.error.message).toMatch(/^before: /);
    expect((await api(hub, root, 'GET', '/v1/channels')).status).toBe(200);
  });

  it('come from `npm run token` too: alone on standard output, listed and audited', async () => {
    const [hub] = await hubs;
    const env = { PATH: process.env['PATH'] ?? '', HUB_DB_URL: (await database).url };
    const run = (...args: string[]) =>
      runCommand('commands/token.ts', args, { ...env, HUB_JWT_SECRET: secret });
    const made = await run('--sub', 'first', '--role', 'admin', '--kind', 'person', '--ttl', '60');
    expect(made).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+\n$/),
    });
    expect(made.stderr).toMatch(
      /^an admin token for first, kind person, valid until \S+, jti \S+\n$/,
    );
    const token = made.stdout.trim();
    const { body } = await api(hub, token, 'GET', '/v1/tokens?sub=first');
    expect(body.tokens).toMatchObject([
      { role: 'admin', kind: 'person', minter: expect.any(String) },
    ]);
    const audit = await api(hub, token, 'GET', '/v1/audit?target=first');
    expect(audit.body.entries).toMatchObject([{ action: 'token.mint', via: 'command' }]);
    await using socket = await connectRpc(`${hub.wsUrl}?access_token=${token}`);
    expect(socket.welcome.kind).toBe('person');

    for (const [reason, ...args] of [
      ['--sub is needed'],
      ['--sub: ', '--sub', 'a:b'],
      ['--role: ', '--sub', 'a', '--role', 'king'],
      ['--ttl: ', '--sub', 'a', '--ttl', '0'],
      ['--ttl: ', '--sub', 'a', '--ttl', '1h'],
      ['--channels: ', '--sub', 'a', '--channels', 'a,b:c'],
      ["Unknown option '--nope'", '--nope'],
    ]) {
      const { code, stdout, stderr } = await run(...args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain(`token: ${reason}`);
      expect(stderr).toContain('usage:');
    }
    const dev = await runCommand('commands/token.ts', ['--sub', 'a'], env);
    expect(dev).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('HUB_JWT_SECRET'),
    });
  });
});

describe('docs/security.md', () => {
  it('has commands that work as printed', async () => {
    await using hub = await startTestHub({ ...quiet, HUB_JWT_SECRET: secret });
    const page = await readFile('docs/security.md', 'utf8');
    const blocks = [...page.matchAll(/```bash\n([^]*?)```/g)].map(([, block = '']) => block);
    const commands = blocks
      .filter((block) => block.includes('curl'))
      .map((block) => block.replace(/^(HUB|ADMIN)=.*\n/gm, ''));
    expect(commands).toHaveLength(3);
    const token = await admin();
    // The command with `before` revokes all tokens up to a past time, so the new token stays valid.
    for (const command of commands) {
      const run = promisify(execFile)(
        'sh',
        ['-ec', `curl() { command curl -sSf "$@"; }\n${command}`],
        {
          env: { PATH: process.env['PATH'], HUB: hub.url, ADMIN: token },
        },
      );
      await expect(run).resolves.toMatchObject({ stderr: '' });
    }
    const { body } = await api(hub, token, 'GET', '/v1/tokens?sub=ci-bot');
    expect(body.tokens).toMatchObject([{ kind: 'service', revoked: true }]);
    const minting = blocks.find((block) => block.includes('--sub ci-bot')) ?? '';
    const options = [...minting.matchAll(/^npm run token -- (.*)$/gm)].map(([, args = '']) => args);
    expect(options).toHaveLength(2);
    for (const args of options) {
      const env = { HUB_DB_URL: hub.databaseUrl, HUB_JWT_SECRET: secret };
      const made = await runCommand('commands/token.ts', args.split(' '), env);
      expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^eyJ/) });
    }
  });
});

describe('the audit log', () => {
  it('has every administrative act of every hub: who, what, on whom, from where', async () => {
    const database = closeAfterAll(await temporaryDatabase());
    const environment = { ...quiet, HUB_DB_URL: database.url, HUB_JWT_SECRET: secret };
    await using hub = await startTestHub(environment);
    await using other = await startTestHub(environment);
    const root = await admin();
    await using ana = await connectRpc(
      `${hub.wsUrl}?access_token=${(await mintFor(secret, { sub: 'ana', ttlSeconds: 60 })).token}`,
    );
    await ana.call('channel.create', { channelId: 'ops', name: 'Ops' });
    const { messageId } = await ana.call('message.send', {
      channelId: 'ops',
      content: 'secret text',
    });
    // Ana owns the channel, so this is not an administrative act.
    await ana.call('member.add', { channelId: 'ops', agentId: 'ben' });
    await using socket = await connectRpc(`${other.wsUrl}?access_token=${root}`);
    await socket.call('message.delete', { channelId: 'ops', messageId });
    await socket.call('channel.update', { channelId: 'ops', topic: 'secret topic' });
    await api(hub, root, 'POST', '/v1/call/channel.archive', { channelId: 'ops' });
    await socket.call('collaboration.emit', {
      channelId: null,
      name: 'x',
      payload: { a: 'secret' },
    });
    await expect(socket.call('channel.delete', { channelId: 'none' })).rejects.toThrow();
    const { body: minted } = await api(hub, root, 'POST', '/v1/tokens', { sub: 'kim' });
    await api(other, root, 'DELETE', `/v1/tokens/${minted.jti}`);

    const read = async (query = '') => (await api(hub, root, 'GET', `/v1/audit${query}`)).body;
    await waitFor(async () => (await read()).entries.length === 6);
    const { entries } = await read();
    const acts = entries.map(({ action, actor, target, via }: Record<string, unknown>) =>
      [action, actor, target, via].join(' '),
    );
    expect(acts.sort()).toEqual([
      'channel.archive root ops rest',
      'channel.update root ops ws',
      'collaboration.emit root  ws',
      'message.delete root ops ws',
      'token.mint root kim rest',
      'token.revoke root  rest',
    ]);
    expect(entries).toContainEqual(
      expect.objectContaining({
        ...{ action: 'message.delete', address: '127.0.0.1', hubId: other.hubId },
        ...{ details: { channelId: 'ops', messageId } },
      }),
    );
    expect(JSON.stringify(entries)).not.toContain('secret');

    const first = await read('?limit=4');
    const rest = await read(`?limit=4&cursor=${first.nextCursor}`);
    expect([first.entries.length, rest.entries.length, rest.nextCursor]).toEqual([4, 2, null]);
    const ids = [...first.entries, ...rest.entries].map(({ id }: { id: string }) => id);
    expect(new Set(ids).size).toBe(6);
    expect((await read('?action=token.mint')).entries).toHaveLength(1);
    for (const query of ['?limit=0', '?limit=201', '?cursor=', `?actor=${'x'.repeat(200)}`])
      expect((await api(hub, root, 'GET', `/v1/audit${query}`)).status).toBe(400);
    expect((await api(hub, minted.token, 'GET', '/v1/audit')).status).toBe(401);
    const bounded = await mintFor(secret, {
      ...{ sub: 'local', role: 'admin', channels: ['ops'], ttlSeconds: 60 },
    });
    expect((await api(hub, bounded.token, 'GET', '/v1/audit')).status).toBe(403);
  });

  it('has a line for each act in the log stream, whatever LOG_LEVEL says, without the token', async () => {
    const { hub, output } = await startLogged('fatal', { HUB_JWT_SECRET: secret });
    const answer = await fetch(`${hub.url}/v1/tokens`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await admin()}`, 'content-type': 'application/json' },
      body: JSON.stringify({ sub: 'kim', role: 'admin' }),
    });
    const { token, jti } = (await answer.json()) as { token: string; jti: string };
    await hub.close();
    const text = output();
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines).toEqual([
      expect.objectContaining({
        ...{ part: 'audit', action: 'token.mint', actor: 'root', target: 'kim', hubId: hub.hubId },
        ...{ address: '127.0.0.1', requestId: answer.headers.get('x-request-id') },
        details: { jti, kind: null, isAdmin: true, channels: null },
      }),
    ]);
    expect(text).not.toContain(token.split('.')[2]);
  });
});
