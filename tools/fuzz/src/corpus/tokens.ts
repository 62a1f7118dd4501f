import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import type { Target } from '../target.ts';
import { invalidIds } from './texts.ts';

export interface TokenCase {
  readonly name: string;
  readonly make: (target: Target) => string;
  readonly isGood: boolean;
}

type Json = Readonly<Record<string, unknown>>;
const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const nowSeconds = () => Math.floor(Date.now() / 1000);
const claimsNow = (): Json => ({ sub: 'mallory', exp: nowSeconds() + 600, iat: nowSeconds() });

export function signed(secret: string, header: unknown, claims: unknown, hash = 'sha256'): string {
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${createHmac(hash, secret).update(input).digest('base64url')}`;
}

const hs256 = { alg: 'HS256', typ: 'JWT' };
const good = ({ secret }: Target) => signed(secret, hs256, claimsNow());

const claiming = (isGood: boolean, cases: readonly Json[]): TokenCase[] =>
  cases.map((claims) => ({
    name: `claims ${JSON.stringify(claims).slice(0, 60)}`,
    make: ({ secret }) => signed(secret, hs256, { ...claimsNow(), ...claims }),
    isGood,
  }));
const headed = (isGood: boolean, headers: readonly Json[]): TokenCase[] =>
  headers.map((header) => ({
    name: `the header ${JSON.stringify(header).slice(0, 60)}`,
    make: ({ secret }) => signed(secret, { ...hs256, ...header }, claimsNow()),
    isGood,
  }));

/** The attacker signs with a key that the header contains or points to. */
function withOwnKey(where: 'jwk' | 'jku' | 'x5u' | 'kid'): string {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = publicKey.export({ format: 'jwk' });
  const value = where === 'jwk' ? jwk : where === 'kid' ? 'k1' : 'http://127.0.0.1:1/keys';
  const input = `${encode({ alg: 'ES256', [where]: value })}.${encode(claimsNow())}`;
  const key = { key: privateKey, dsaEncoding: 'ieee-p1363' as const };
  return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`;
}

export const tokenCases: readonly TokenCase[] = [
  { name: 'a good one', make: good, isGood: true },
  ...['none', 'None', 'NONE', 'nOnE', '', 'HS256 '].flatMap((alg) => [
    {
      name: `the algorithm "${alg}" and no signature`,
      make: () => `${encode({ alg })}.${encode(claimsNow())}.`,
      isGood: false,
    },
    ...headed(false, [{ alg }]),
  ]),
  ...(['pem', 'jwk'] as const).map((form) => ({
    name: `HS256 with the public key (${form}) as the secret`,
    make: ({ publicKey }: Target) => signed(publicKey[form], { ...hs256, kid: 'k1' }, claimsNow()),
    isGood: false,
  })),
  ...['', 'secret', '\0'].map((secret) => ({
    name: `HS256 with the secret ${JSON.stringify(secret)}`,
    make: () => signed(secret, hs256, claimsNow()),
    isGood: false,
  })),
  ...['sha384', 'sha512'].map((hash) => ({
    name: `the right secret with ${hash}, which is not supported`,
    make: ({ secret }: Target) => signed(secret, { alg: `HS${hash.slice(3)}` }, claimsNow(), hash),
    isGood: false,
  })),
  ...(['jwk', 'jku', 'x5u', 'kid'] as const).map((where) => ({
    name: `the attacker’s key in ${where}`,
    make: () => withOwnKey(where),
    isGood: false,
  })),
  ...headed(false, [
    { alg: ['HS256'] },
    { alg: {} },
    { alg: 0 },
    { crit: ['exp'] },
    { b64: false, crit: ['b64'] },
    { alg: 'ES256' },
    { alg: 'RS256' },
    { alg: 'EdDSA' },
  ]),
  // The hub chooses the secret by the algorithm alone, so these header fields change nothing.
  ...headed(true, [
    { kid: '../../../dev/null' },
    { kid: "' or 1=1 --" },
    { kid: 'x'.repeat(3_000) },
    { typ: 'at+jwt' },
    { jku: 'http://127.0.0.1:1/' },
    { __proto__: null, x: 1 },
  ]),
  ...claiming(false, [
    { exp: nowSeconds() - 60 },
    { exp: String(nowSeconds() + 600) },
    { exp: null },
    { exp: [] },
    { exp: -1 },
    { exp: undefined },
    { nbf: nowSeconds() + 600 },
    { nbf: 'x' },
    { iat: 'x' },
    { iat: nowSeconds() + 600 },
    { iat: 1e300 },
    { sub: undefined },
    { sub: 1 },
    { sub: ['mallory'] },
    { sub: { toString: 'mallory' } },
    ...invalidIds.map((sub) => ({ sub })),
    { jti: 'a\0b' },
    { jti: '\ud800' },
    { jti: 1 },
    { jti: 'x'.repeat(129) },
    { channels: 'all' },
    { channels: ['a:b'] },
    { channels: [1] },
    { channels: { length: 1, 0: 'a' } },
    { channels: Array<string>(1_001).fill('a') },
    { role: { admin: true } },
  ]),
  ...claiming(true, [
    { exp: nowSeconds() + 600.5 },
    { exp: 1e300 },
    { exp: Number.MAX_SAFE_INTEGER },
    { nbf: nowSeconds() - 600 },
    // RFC 7519 §2 allows fractions of a second.
    { iat: nowSeconds() - 0.123456 },
    { iat: -1e300 },
    { sub: 'constructor' },
    { sub: 'toString' },
    { jti: '' },
    { jti: "'; drop table revoked_tokens; --" },
    { jti: '\u202e😀' },
    { channels: [] },
    { channels: ['constructor'] },
    { role: 'ADMIN' },
    // Some issuers give a list of roles instead of one.
    { role: ['admin', 1] },
    { role: '__proto__' },
    { isAdmin: true },
  ]),
  ...[
    ['nothing', () => ''],
    ['a word', () => 'x'],
    ['dots', () => '...'],
    ['a part missing', (token: string) => token.split('.').slice(0, 2).join('.')],
    ['a part more', (token: string) => `${token}.x`],
    ['a signature cut short', (token: string) => token.slice(0, -8)],
    ['another signature', (token: string) => `${token.slice(0, -43)}${'A'.repeat(43)}`],
    [
      'claims that are no object',
      (_token: string, { secret }: Target) => signed(secret, hs256, '[1]'),
    ],
    ['claims that are null', (_token: string, { secret }: Target) => signed(secret, hs256, 'null')],
    ['claims that are no JSON', (_token: string, { secret }: Target) => signed(secret, hs256, '{')],
    [
      'a header that is no JSON',
      (_token: string, { secret }: Target) => signed(secret, '{', claimsNow()),
    ],
    [
      'a header that is an array',
      (_token: string, { secret }: Target) => signed(secret, '[]', claimsNow()),
    ],
    ['12,000 characters', () => 'x.'.repeat(6_000)],
  ].map(([name, make]) => ({
    name: name as string,
    make: (target: Target) =>
      (make as (token: string, target: Target) => string)(good(target), target),
    isGood: false,
  })),
];
