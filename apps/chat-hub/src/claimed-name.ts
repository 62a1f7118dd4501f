import { createHash } from 'node:crypto';
import type { Credentials } from './auth/identity.ts';

/**
 * Under which name a client that may have to come back is known, before anybody has proved anything: the `sub` that its
 * token claims, since it may come back with a newer token; else the token itself, hashed; else the dev agent, else its
 * address. At most some 300 characters, and no secret.
 */
export function claimedName(
  { token, devAgent }: Pick<Credentials, 'token' | 'devAgent'>,
  address = '',
): string {
  if (token !== null)
    return claimedSubject(token) ?? createHash('sha256').update(token).digest('hex');
  return devAgent?.slice(0, 128) ?? address;
}

function claimedSubject(token: string): string | null {
  try {
    const payload: unknown = JSON.parse(
      Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'),
    );
    const { sub } = payload as { readonly sub?: unknown };
    return typeof sub === 'string' && sub !== '' ? sub.slice(0, 128) : null;
  } catch {
    // No JWT; whether it is any good is not asked here.
    return null;
  }
}
