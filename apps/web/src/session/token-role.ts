import type { Credentials } from './credentials.ts';

/**
 * True if the token, or the dev sign-in, says admin. The page then offers what admins may do; the hub decides about each
 * call, so a wrong claim only shows a button that is refused.
 */
export function saysAdmin(credentials: Credentials): boolean {
  if (credentials.kind !== 'token') return credentials.isAdmin ?? false;
  try {
    const [, payload = ''] = credentials.token.split('.');
    const claims = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))) as {
      readonly role?: unknown;
    };
    return claims.role === 'admin';
  } catch {
    return false;
  }
}
