import { agentKindSchema, isId } from '@openclaw/protocol';
import type { JWTPayload } from 'jose';
import { z } from 'zod';
import type { JwtSettings } from '../jwt-settings.ts';
import { AuthError, isAgentId, jtiSchema, type Identity } from './identity.ts';

export const clockToleranceMs = 5_000;

/** The latest time that a Date can hold, in seconds. */
const endOfTime = 8.64e12;
// RFC 7519 allows fractions, and a signer may write any number; the store keeps whole milliseconds.
const numericDate = z
  .number()
  .transform((seconds) => Math.floor(Math.min(Math.max(seconds, 0), endOfTime) * 1000));

const claimsSchema = z.object({
  sub: z.string().refine(isAgentId, 'is not an agentId'),
  exp: numericDate,
  iat: numericDate.optional(),
  jti: jtiSchema.optional(),
  // Another issuer may use this claim for something else, so an unsuitable value is ignored.
  minter: z.string().max(128).optional().catch(undefined),
  channels: z.array(z.string().refine(isId)).max(1_000).optional(),
  role: z.union([z.string(), z.array(z.unknown())]).optional(),
  kind: agentKindSchema.default('agent'),
  on_behalf_of: z.string().refine(isId, 'is not an agentId').optional(),
});

/**
 * The name `realm_access.roles` may be a claim, or a path to the field `roles` of the claim `realm_access`. Issuers use
 * both. The claim with the whole name wins.
 */
export function readClaim(payload: JWTPayload, name: string): unknown {
  if (Object.hasOwn(payload, name)) return payload[name];
  let value: unknown = payload;
  for (const part of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part))
      return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}

/** @throws {AuthError} `unauthorized`; the message names the claim, never the value */
export function identityOf(
  payload: JWTPayload,
  { claims: names, adminRole }: Pick<JwtSettings, 'claims' | 'adminRole'>,
): Identity {
  const claims = claimsSchema.safeParse({
    ...payload,
    role: readClaim(payload, names.role),
    kind: readClaim(payload, names.kind),
    channels: readClaim(payload, names.channels),
  });
  if (!claims.success) {
    const claim = String(claims.error.issues[0]?.path[0] ?? '');
    const name = Object.hasOwn(names, claim) ? names[claim as keyof typeof names] : claim;
    throw new AuthError('unauthorized', `the token's claim "${name}" cannot be used`);
  }
  const { sub, exp, iat, jti, minter, channels, role, kind, on_behalf_of } = claims.data;
  // A revocation ends only older tokens. A token with a future `iat` would survive every revocation until that time.
  if (iat !== undefined && iat > Date.now() + clockToleranceMs)
    throw new AuthError('unauthorized', 'the token was issued in the future (claim "iat")');
  const isAdmin = Array.isArray(role) ? role.includes(adminRole) : role === adminRole;
  return {
    agentId: sub,
    kind,
    isAdmin,
    observesPrivate: isAdmin,
    onBehalfOf: on_behalf_of ?? null,
    channels: channels ?? null,
    jti: jti ?? null,
    minter: minter ?? null,
    issuedAtMs: iat ?? null,
    expiresAtMs: exp,
  };
}
