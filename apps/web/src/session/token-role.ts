import type { Credentials } from './credentials.ts';

/** The token is not verified: a wrong claim only shows buttons whose calls the hub refuses. */
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
