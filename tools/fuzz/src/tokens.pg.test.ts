import { beforeAll, describe, expect, it } from '@jest/globals';
import { connectRpc, sendRaw, startPostgres } from '@openclaw/test-support';
import { suiteScope } from '@openclaw/test-support/scopes';
import { tokenCases, signed } from './corpus/tokens.ts';
import { fuzzMethods } from './fuzz-methods.ts';
import { fuzzTokens, statusFor } from './fuzz-tokens.ts';
import { startTarget, type Target } from './target.ts';

// PostgreSQL is the stricter store: it rejects U+0000 and fractions in integer columns.
const scope = suiteScope();
let target: Target;

beforeAll(async () => {
  const postgres = await scope.use(startPostgres());
  target = await scope.use(startTarget({ HUB_DB_URL: postgres.url }));
});

describe('a token', () => {
  it.each(tokenCases.map((entry) => [entry.name, entry] as const))(
    'with %s is accepted or refused as expected',
    async (_name, { make, isGood }) => {
      expect(await statusFor(target, make(target))).toBe(isGood ? 200 : 401);
    },
  );

  it.each(
    tokenCases
      .filter(({ isGood }) => !isGood)
      .slice(0, 12)
      .map((entry) => [entry.name, entry] as const),
  )('with %s closes a WebSocket with 4401', async (_name, { make }) => {
    const url = `ws://127.0.0.1:${target.port}/v1/ws?access_token=${encodeURIComponent(make(target))}`;
    const socket = await connectRpc(url, { waitForWelcome: false });
    expect((await socket.closed).code).toBe(4401);
  });

  it('with random claims or changed characters is valid or refused, and causes no server error', async () => {
    await fuzzTokens(target, 20_261_124, 60);
  });

  it.each(['a%00b', '%ED%A0%80', 'x'.repeat(129), '%F0%9F%98%80', '..%2F..'])(
    'can be revoked by the jti %s, or the jti is refused, without a server error',
    async (jti) => {
      const seconds = Math.floor(Date.now() / 1000);
      const admin = signed(
        target.secret,
        { alg: 'HS256' },
        { sub: 'root', role: 'admin', exp: seconds + 60 },
      );
      const head = `DELETE /v1/tokens/${jti} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close`;
      const text = `${head}\r\nAuthorization: Bearer ${admin}\r\n\r\n`;
      expect([200, 400]).toContain((await sendRaw(target.port, text)).status);
    },
  );

  it('of any kind does not affect the hub or other agents', () => target.assertUnharmed());
});

describe('calls of any method', () => {
  it('get documented answers on PostgreSQL', async () => {
    await fuzzMethods(target, 20_261_124, 30);
  });
});
