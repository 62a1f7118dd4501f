import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectRpc, startPostgres, type PostgresServer } from '@openclaw/test-support';
import { tokenCases, signed } from './corpus/tokens.ts';
import { fuzzMethods } from './fuzz-methods.ts';
import { fuzzTokens, statusFor } from './fuzz-tokens.ts';
import { sendRaw } from './raw-http.ts';
import { startTarget, type Target } from './target.ts';

// PostgreSQL is the stricter of the two stores: it takes neither U+0000 nor a fraction where a whole number stands.
let postgres: PostgresServer;
let target: Target;

beforeAll(async () => {
  postgres = await startPostgres();
  target = await startTarget({ HUB_DB_URL: postgres.url });
});
afterAll(async () => {
  await target?.stop();
  await postgres?.stop();
});

describe('a token', () => {
  it.each(tokenCases.map((entry) => [entry.name, entry] as const))(
    'with %s lets in only who it names in full',
    async (_name, { make, isGood }) => {
      expect(await statusFor(target, make(target))).toBe(isGood ? 200 : 401);
    },
  );

  it.each(
    tokenCases
      .filter(({ isGood }) => !isGood)
      .slice(0, 12)
      .map((entry) => [entry.name, entry] as const),
  )('with %s is closed 4401 on a WebSocket', async (_name, { make }) => {
    const url = `ws://127.0.0.1:${target.port}/v1/ws?access_token=${encodeURIComponent(make(target))}`;
    const socket = await connectRpc(url, { waitForWelcome: false });
    expect((await socket.closed).code).toBe(4401);
  });

  it('with any claims and any characters changed is refused or good, and no fault', async () => {
    await fuzzTokens(target, 20_261_124, 60);
  });

  it.each(['a%00b', '%ED%A0%80', 'x'.repeat(129), '%F0%9F%98%80', '..%2F..'])(
    'is revoked by the jti %s, or that is refused: no fault',
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

  it('of any kind leaves the hub and the others unharmed', () => target.assertUnharmed());
});

describe('calls of any method', () => {
  it('are answered over PostgreSQL as each method documents', async () => {
    await fuzzMethods(target, 20_261_124, 30);
  });
});
