import { randomUUID } from 'node:crypto';
import { isId } from '@openclaw/protocol';
import fc from 'fast-check';
import { signed } from './corpus/tokens.ts';
import { hostileText, hostileValue } from './hostile-values.ts';
import { sendRaw } from './raw-http.ts';
import { roundOf } from './round.ts';
import type { Target } from './target.ts';

/** What the hub says to a bearer: 200 or 401, and for who it is a fault. */
export async function statusFor(target: Target, token: string): Promise<number | null> {
  // Wrong tokens are limited by address, which is not what is tried here.
  const from = `X-Forwarded-For: ${randomUUID()}`;
  const text = `GET /v1/channels?limit=1 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n${from}\r\nAuthorization: Bearer ${token}\r\n\r\n`;
  return (await sendRaw(target.port, text)).status;
}

const claimName = fc.constantFrom(
  'sub',
  'exp',
  'iat',
  'nbf',
  'jti',
  'channels',
  'role',
  'aud',
  'iss',
);
const claims = fc.dictionary(claimName, hostileValue, { maxKeys: 3, noNullPrototype: true });
const header = fc.dictionary(
  fc.constantFrom('alg', 'kid', 'typ', 'crit', 'jwk', 'cty', 'zip', 'b64', 'enc'),
  hostileValue,
  { maxKeys: 2, noNullPrototype: true },
);

// A token too long for any header is refused as a request, which is another subject.
const maxChars = 10_000;

/** Tokens with the right signature over the wrong things: 200 only to one that says in full who bears it. */
async function fuzzClaims(target: Target, seed: number, runs: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(header, claims, async (extraHeader, extra) => {
      const exp = Math.floor(Date.now() / 1000) + 600;
      const all: Record<string, unknown> = { sub: 'eve', exp, ...extra };
      const token = signed(target.secret, { alg: 'HS256', ...extraHeader }, all);
      if (token.length > maxChars) return;
      const status = await statusFor(target, token);
      const isPlausible =
        isId(all['sub']) &&
        typeof all['exp'] === 'number' &&
        (all['role'] === undefined || typeof all['role'] === 'string') &&
        (extraHeader['alg'] === undefined || extraHeader['alg'] === 'HS256');
      if (status !== 401 && !(status === 200 && isPlausible))
        throw new Error(`${status} for ${JSON.stringify({ extraHeader, all })}`);
      await target.assertUnharmed();
    }),
    roundOf(seed, runs),
  );
}

/** Good tokens with some characters changed: 200 only where the bytes that they stand for are the same. */
async function fuzzCharacters(target: Target, seed: number, runs: number): Promise<void> {
  const changes = fc.array(fc.tuple(fc.nat(400), hostileText), { minLength: 1, maxLength: 3 });
  const good = await target.tokenOf('eve');
  const bytesOf = (token: string) =>
    token.split('.').map((part) => Buffer.from(part, 'base64url').toString('hex'));
  await fc.assert(
    fc.asyncProperty(changes, async (each) => {
      const token = each.reduce((text, [at, put]) => {
        const place = at % text.length;
        const safe = Buffer.from(put)
          .toString('base64url')
          .slice(0, 1 + (at % 5));
        return text.slice(0, place) + safe + text.slice(place + safe.length);
      }, good);
      const status = await statusFor(target, token);
      const isSame = bytesOf(token).join('.') === bytesOf(good).join('.');
      if (status !== 401 && !(status === 200 && isSame)) throw new Error(`${status} for ${token}`);
      await target.assertUnharmed();
    }),
    roundOf(seed, runs),
  );
}

/** Shows the hub tokens that are nearly good. */
export async function fuzzTokens(target: Target, seed: number, runs: number): Promise<void> {
  await fuzzClaims(target, seed, runs);
  await fuzzCharacters(target, seed, runs);
}
