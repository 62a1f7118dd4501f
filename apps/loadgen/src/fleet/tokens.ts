import { createHmac } from 'node:crypto';
import { LoadgenError } from '../errors.ts';
import { requestHub } from './hub-request.ts';
import type { Identity, TlsSettings } from '../plan/plan.ts';

const ttlSeconds = 24 * 3600;
const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

export function signToken(secret: string, agentId: string): string {
  const issuedAt = Math.floor(Date.now() / 1000);
  const claims = { sub: agentId, iat: issuedAt, exp: issuedAt + ttlSeconds };
  const signed = `${base64url({ alg: 'HS256', typ: 'JWT' })}.${base64url(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

async function mintToken(
  url: string,
  adminToken: string,
  agentId: string,
  tls: TlsSettings,
): Promise<string> {
  const { status, body } = await requestHub(url, {
    tls,
    method: 'POST',
    path: '/v1/tokens',
    headers: { authorization: `Bearer ${adminToken}` },
    body: { sub: agentId, ttlSeconds },
  });
  if (status < 200 || status > 299) {
    throw new LoadgenError(
      'refused',
      `The hub minted no token for ${agentId} (HTTP ${status}): --token must be an admin's, of a hub with HUB_JWT_SECRET.`,
    );
  }
  return (JSON.parse(body) as { token: string }).token;
}

export function signInOf(
  identity: Identity,
  url: string,
  agentId: string,
  tls: TlsSettings,
): { readonly agent: string } | { readonly getToken: () => string | Promise<string> } {
  switch (identity.kind) {
    case 'dev':
      return { agent: agentId };
    case 'secret':
      return { getToken: () => signToken(identity.secret, agentId) };
    case 'admin': {
      // A token is kept for reconnects. After a failure the next call mints again.
      let minted: Promise<string> | null = null;
      return {
        getToken: () =>
          (minted ??= mintToken(url, identity.token, agentId, tls).catch((error: unknown) => {
            minted = null;
            throw error;
          })),
      };
    }
  }
}
