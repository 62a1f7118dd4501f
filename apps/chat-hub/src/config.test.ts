import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '@openclaw/test-support';
import { ConfigError, parseConfig } from './config.ts';
import { secretNames } from './secret-files.ts';

const secret = 'a-secret-of-more-than-thirty-two-characters';
const problemsOf = (environment: Record<string, string>): string => {
  try {
    parseConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return '';
};

function plainConfig(environment: Record<string, string>) {
  const { unknownNames: _ignored, ...config } = parseConfig(environment);
  return config;
}

describe('configuration', () => {
  it('needs no variable at all: SQLite, dev sign-in, loopback, port 8080', () => {
    expect(parseConfig({})).toMatchObject({
      host: '127.0.0.1',
      port: 8080,
      databaseUrl: 'sqlite:.data/hub.sqlite',
      redis: null,
      auth: { mode: 'dev' },
      limits: {
        message: { limit: 600, windowMs: 60_000 },
        create: { limit: 6_000, windowMs: 3_600_000 },
      },
    });
  });

  it('treats an empty variable as unset, as the EPIC’s .env needs it', () => {
    const environment = {
      REDIS_HOST: 'localhost',
      CHAT_REDIS_PASSWORD: '',
      HUB_PORT: '',
      HUB_AUTH: '',
      NODE_ENV: '',
    };
    const config = parseConfig(environment);
    expect(config.port).toBe(8080);
    expect(config.redis).not.toBeNull();
  });

  it('names every bad variable at once', () => {
    const problems = problemsOf({
      HUB_PORT: 'eighty',
      HUB_LIMIT_MESSAGE: 'lots',
      HUB_DB_URL: 'mysql://x',
      REDIS_PORT: '99999999',
    });
    for (const name of ['HUB_PORT', 'HUB_LIMIT_MESSAGE', 'HUB_DB_URL', 'REDIS_PORT'])
      expect(problems).toContain(name);
  });

  it('refuses a name that is at most two letters from a known one, and says which is meant', () => {
    for (const [name, meant] of [
      ['HUB_PROT', 'HUB_PORT'],
      ['HUB_LIMIT_MESAGE', 'HUB_LIMIT_MESSAGE'],
      ['HUB_DATABASE', null],
      ['HUB_DBURL', 'HUB_DB_URL'],
      ['HUB_MAX_CONECTION', 'HUB_MAX_CONNECTIONS'],
    ] as const) {
      const problems = problemsOf({ [name]: '1' });
      if (meant === null) expect(problems).toBe('');
      else expect(problems).toBe(`${name}: there is no such variable; is ${meant} meant?`);
    }
  });

  it('accepts other unknown names, such as Kubernetes injects, and lists them', () => {
    const injected = { HUB_SERVICE_HOST: '10.0.0.1', HUB_PORT_8080_TCP_ADDR: '10.0.0.1' };
    expect(parseConfig({ ...injected, HUB_EMPTY: '', OTHER: '1' }).unknownNames).toEqual(
      Object.keys(injected),
    );
  });

  it('refuses dev sign-in in production', () => {
    expect(problemsOf({ NODE_ENV: 'production', HUB_AUTH: 'dev' })).toContain('HUB_AUTH');
  });

  it('requires a secret or a JWKS URL in production', () => {
    expect(problemsOf({ NODE_ENV: 'production' })).toContain('HUB_JWT_SECRET');
    expect(parseConfig({ NODE_ENV: 'production', HUB_JWT_SECRET: secret }).auth.mode).toBe('jwt');
  });

  it('listens on loopback only with dev sign-in', () => {
    expect(problemsOf({ HUB_HOST: '0.0.0.0' })).toContain('HUB_HOST');
    expect(parseConfig({ HUB_HOST: '0.0.0.0', HUB_JWT_SECRET: secret }).host).toBe('0.0.0.0');
  });

  it('accepts allowed origins in the form that browsers send, and nothing else', () => {
    const HUB_ALLOWED_ORIGINS =
      'https://chat.example.com/, HTTP://LOCALHOST:5173, tauri://localhost,https://x.org:443/app';
    expect(parseConfig({ HUB_ALLOWED_ORIGINS }).allowedOrigins).toEqual([
      'https://chat.example.com',
      'http://localhost:5173',
      'tauri://localhost',
      'https://x.org',
    ]);
    for (const bad of ['null', '*', 'mailto:a@b.c', 'file:///', 'chat.example.com'])
      expect(problemsOf({ HUB_ALLOWED_ORIGINS: bad })).toContain('HUB_ALLOWED_ORIGINS');
  });

  it('accepts a wildcard for the hosts below a domain, and refuses one that would match nothing or too much', () => {
    const HUB_ALLOWED_ORIGINS =
      'https://*.Example.com, http://*.localhost:5173/, https://*.a.b.org:443';
    expect(parseConfig({ HUB_ALLOWED_ORIGINS }).allowedOrigins).toEqual([
      'https://*.example.com',
      'http://*.localhost:5173',
      'https://*.a.b.org',
    ]);
    for (const bad of [
      'https://*',
      'https://*.com',
      'https://*:8443',
      'https://chat-*.example.com',
      'https://*chat.example.com',
      'https://*.*.example.com',
      'https://chat.*.com',
      '*://chat.example.com',
      'tauri://*',
    ])
      expect([bad, problemsOf({ HUB_ALLOWED_ORIGINS: bad })]).toEqual([
        bad,
        expect.stringContaining('HUB_ALLOWED_ORIGINS'),
      ]);
  });

  it('has the public URL with a slash at its end', () => {
    const jwt = { HUB_JWT_SECRET: secret };
    for (const [given, parsed] of [
      ['https://chat.example.com', 'https://chat.example.com/'],
      ['https://Example.com:443/team/chat', 'https://example.com/team/chat/'],
      ['http://127.0.0.1:8088/chat/', 'http://127.0.0.1:8088/chat/'],
    ])
      expect(parseConfig({ ...jwt, HUB_PUBLIC_URL: given }).publicUrl).toBe(parsed);
    expect(parseConfig({}).publicUrl).toBeNull();
    for (const bad of [
      'chat.example.com',
      'wss://chat.example.com',
      'https://u:pa55word@chat.example.com',
      'https://example.com/?x=1',
      'https://example.com/#x',
      'https://example.com//chat',
      'https://example.com/a%2fb',
      'https://example.com/v1',
      'https://example.com/assets/chat/',
    ]) {
      const problems = problemsOf({ ...jwt, HUB_PUBLIC_URL: bad });
      expect([bad, problems]).toEqual([bad, expect.stringContaining('HUB_PUBLIC_URL')]);
      expect(problems).not.toContain('pa55word');
    }
  });

  it('publishes no hub with dev sign-in', () => {
    expect(problemsOf({ HUB_PUBLIC_URL: 'https://chat.example.com' })).toContain('HUB_PUBLIC_URL');
    expect(problemsOf({ HUB_PUBLIC_URL: 'http://[::1]:8088/chat' })).toBe('');
  });

  it('refuses a JWKS URL that contains a password, as fetch does', () => {
    expect(problemsOf({ HUB_JWKS_URL: 'https://u:pa55word@keys.example.com/jwks' })).toMatch(
      /HUB_JWKS_URL: must not contain a user/,
    );
  });

  it('has null for the limits of calls and connections unless they are set', () => {
    expect(parseConfig({})).toMatchObject({
      ...{ retention: { retentionMs: null, maxMessages: null } },
      ...{ callLimit: null, maxConnections: null, opsPort: null, trustedProxies: [] },
    });
    expect(
      parseConfig({
        HUB_LIMIT_CALLS: '100/1',
        HUB_MAX_CONNECTIONS: '500',
        HUB_OPS_PORT: '9090',
        HUB_TRUSTED_PROXIES: '10.0.0.0/8, loopback',
      }),
    ).toMatchObject({
      callLimit: { limit: 100, windowMs: 1_000 },
      ...{ maxConnections: 500, opsPort: 9090, trustedProxies: ['10.0.0.0/8', 'loopback'] },
    });
  });

  it('limits loops of agents unless the limits are 0', () => {
    expect(parseConfig({})).toMatchObject({
      agentLoop: { limit: 100, windowMs: 60_000 },
      agentTurns: { limit: 500, windowMs: 600_000 },
    });
    expect(parseConfig({ HUB_AGENT_LOOP: '0', HUB_AGENT_TURNS: '9/1' })).toMatchObject({
      agentLoop: null,
      agentTurns: { limit: 9, windowMs: 1_000 },
    });
  });

  it.each([
    ['HUB_AGENT_LOOP', '0/60'],
    ['HUB_ADMIN_READS', 'none'],
    ['HUB_AGENT_TURNS', 'none'],
    ['HUB_LIMIT_CALLS', 'many'],
    ['HUB_MAX_CONNECTIONS', '0'],
    ['HUB_OPS_PORT', '99999'],
    ['HUB_OPS_PORT', '8080'],
    ['HUB_TRUSTED_PROXIES', 'proxy.example.com'],
  ])('names %s when it is %s', (name, value) => {
    expect(problemsOf({ [name]: value })).toContain(name);
  });

  it('takes several secrets, of which the first signs', () => {
    const other = `${secret}-2`;
    expect(parseConfig({ HUB_JWT_SECRET: ` ${other}, ${secret},` }).auth).toMatchObject({
      secrets: [other, secret],
    });
    for (const bad of [`${secret},short`, ',', ' ', Array(9).fill(secret).join()])
      expect(problemsOf({ HUB_JWT_SECRET: bad })).toContain('HUB_JWT_SECRET: ');
  });

  it('takes issuer, audiences and names of claims', () => {
    expect(
      parseConfig({
        ...{ HUB_JWT_SECRET: secret, HUB_JWT_ISSUER: 'https://i.example.com' },
        ...{ HUB_JWT_AUDIENCE: 'chat, other', HUB_JWT_ROLE_CLAIM: 'realm_access.roles' },
      }).auth,
    ).toMatchObject({
      ...{ issuer: 'https://i.example.com', audiences: ['chat', 'other'], adminRole: 'admin' },
      claims: { role: 'realm_access.roles', kind: 'kind', channels: 'channels' },
    });
    expect(problemsOf({ HUB_JWT_AUDIENCE: ' , ' })).toContain('HUB_JWT_AUDIENCE: ');
    for (const bad of ['a b', 'x'.repeat(65), 'sub', 'ä'])
      expect(problemsOf({ HUB_JWT_KIND_CLAIM: bad })).toContain('HUB_JWT_KIND_CLAIM: ');
  });

  it('reads every secret from a file instead, without the line break at its end', async () => {
    await using folder = await temporaryFolder('secrets');
    const path = join(folder.path, 'secret');
    const values: Record<string, string> = {
      HUB_JWT_SECRET: secret,
      HUB_DB_URL: 'postgres://u:p@db/hub',
      REDIS_URL: 'redis://a:6379',
      CHAT_REDIS_URL: 'redis://a:6379',
    };
    const ofRedis = ['REDIS_URL', 'REDIS_PASSWORD', 'CHAT_REDIS_URL', 'CHAT_REDIS_PASSWORD'];
    for (const name of [...secretNames, ...ofRedis]) {
      const value = values[name] ?? ' pass word';
      await writeFile(path, `${value}\n`);
      const beside: Record<string, string> =
        name === 'HUB_DB_PASSWORD' ? { HUB_DB_HOST: 'db' } : {};
      const { unknownNames, ...fromFile } = parseConfig({ ...beside, [`${name}_FILE`]: path });
      expect(unknownNames).toEqual([]);
      expect(fromFile).toEqual(expect.objectContaining(plainConfig({ ...beside, [name]: value })));
    }
  });

  it('refuses a file that cannot be read, is empty or is given beside its variable, and shows nothing of it', async () => {
    await using folder = await temporaryFolder('secrets');
    const write = async (name: string, text: string) => {
      await writeFile(join(folder.path, name), text);
      return join(folder.path, name);
    };
    const short = await write('short', 'pa55word');
    for (const [HUB_JWT_SECRET_FILE, problem] of [
      [join(folder.path, 'none'), /HUB_JWT_SECRET_FILE: the file cannot be read \(ENOENT\)/],
      [folder.path, /HUB_JWT_SECRET_FILE: it names no regular file/],
      ['/dev/zero', /HUB_JWT_SECRET_FILE: it names no regular file/],
      [await write('empty', '\n'), /HUB_JWT_SECRET_FILE: the file is empty/],
      [await write('large', 'x'.repeat(70_000)), /HUB_JWT_SECRET_FILE: the file is too large/],
      [short, /HUB_JWT_SECRET: each secret must have at least 32 characters/],
    ] as const) {
      expect(problemsOf({ HUB_JWT_SECRET_FILE })).toMatch(problem);
      expect(problemsOf({ HUB_JWT_SECRET_FILE })).not.toContain('pa55word');
    }
    const both = { HUB_JWT_SECRET: secret, HUB_JWT_SECRET_FILE: short };
    expect(problemsOf(both)).toContain('HUB_JWT_SECRET_FILE: HUB_JWT_SECRET is set too');
    await chmod(short, 0o600);
    expect(problemsOf({ HUB_JWT_SECRETFILE: short })).toContain('is HUB_JWT_SECRET_FILE meant?');
  });

  it('takes the database in parts, with any password', () => {
    const HUB_DB_PASSWORD = 'p/a?s#s@w:o%r d\'"\\&é';
    const { databaseUrl } = parseConfig({
      ...{ HUB_DB_HOST: '::1', HUB_DB_PORT: '6432', HUB_DB_NAME: 'hub', HUB_DB_USER: 'h@b' },
      ...{ HUB_DB_PASSWORD, HUB_DB_PARAMETERS: 'sslmode=verify-full' },
    });
    const url = new URL(databaseUrl);
    expect(decodeURIComponent(url.password)).toBe(HUB_DB_PASSWORD);
    expect(decodeURIComponent(url.username)).toBe('h@b');
    expect([url.host, url.pathname, url.search]).toEqual([
      '[::1]:6432',
      '/hub',
      '?sslmode=verify-full',
    ]);
    expect(parseConfig({ HUB_DB_HOST: 'db' }).databaseUrl).toBe(
      'postgres://openclaw@db:5432/openclaw',
    );
  });

  it.each([
    ['HUB_DB_URL', { HUB_DB_URL: 'postgres://u:p@db/hub', HUB_DB_HOST: 'db' }],
    ['HUB_DB_HOST', { HUB_DB_PASSWORD: 'x' }],
    ['HUB_DB_HOST', { HUB_DB_HOST: 'u:p@db' }],
    ['HUB_DB_NAME', { HUB_DB_HOST: 'db', HUB_DB_NAME: 'a/b' }],
    ['HUB_DB_PORT', { HUB_DB_HOST: 'db', HUB_DB_PORT: 'tcp://10.0.0.1:5432' }],
    ['HUB_DB_PARAMETERS', { HUB_DB_HOST: 'db', HUB_DB_PARAMETERS: 'a b' }],
    ['HUB_DB_URL', { HUB_DB_URL: 'postgres://u:12/pa55word@db/hub' }],
    ['HUB_DB_URL', { HUB_DB_URL: 'postgres://u:12?pa55word@db/hub' }],
    ['HUB_DB_URL', { HUB_DB_URL: 'postgres://u:12#pa55word@db/hub' }],
    ['HUB_DB_URL', { HUB_DB_URL: 'postgres://u:a@b/pa55word@db/hub' }],
    ['HUB_DB_URL', { HUB_DB_URL: 'postgres://u:100%pa55word@db/hub' }],
  ])('names %s when the database cannot be read: %j', (name, environment) => {
    const problems = problemsOf(environment);
    expect(problems).toContain(`${name}: `);
    expect(problems).not.toContain('pa55word');
  });

  it('never shows a secret in an error', () => {
    expect(
      problemsOf({
        HUB_JWT_SECRET: 'short-secret',
        HUB_JWKS_URL: 'https://u:pa55word@keys.example.com/jwks',
        REDIS_URL: 'nonsense://u:pa55word@h',
        HUB_PORT: 'x',
      }),
    ).not.toMatch(/short-secret|pa55word/);
  });
});
