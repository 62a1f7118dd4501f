import { sendRaw } from '@openclaw/test-support';
import { randomUUID } from 'node:crypto';
import { isId } from '@openclaw/protocol';
import fc from 'fast-check';
import { signed } from './corpus/tokens.ts';
import { fuzzText, fuzzValue } from './fuzz-values.ts';
import { iterationsOf } from './iterations.ts';
import type { Target } from './target.ts';

export async function statusFor(target: Target, token: string): Promise<number | null> {
  // Failed sign-ins are limited by address, so each request claims another address.
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
const claims = fc.dictionary(claimName, fuzzValue, { maxKeys: 3, noNullPrototype: true });
const header = fc.dictionary(
  fc.constantFrom('alg', 'kid', 'typ', 'crit', 'jwk', 'cty', 'zip', 'b64', 'enc'),
  fuzzValue,
  { maxKeys: 2, noNullPrototype: true },
);

// Node refuses a longer header before the hub reads the token.
const maxChars = 10_000;

/**
 * Tokens are correctly signed, with wrong headers and claims. Only a token that is plausible as a whole may get 200.
 */
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
    iterationsOf(seed, runs),
  );
}

/** Changes some characters of valid tokens. Only a token that decodes to the same bytes may get 200. */
async function fuzzCharacters(target: Target, seed: number, runs: number): Promise<void> {
  const changes = fc.array(fc.tuple(fc.nat(400), fuzzText), { minLength: 1, maxLength: 3 });
  const good = target.tokenOf('eve');
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
    iterationsOf(seed, runs),
  );
}

export async function fuzzTokens(target: Target, seed: number, runs: number): Promise<void> {
  await fuzzClaims(target, seed, runs);
  await fuzzCharacters(target, seed, runs);
}
