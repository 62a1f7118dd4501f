import { randomUUID } from 'node:crypto';
import type { ChatStore } from '@openclaw/chat-store';
import { agentKindSchema, idSchema, refuse, type RestOperation } from '@openclaw/protocol';
import { SignJWT } from 'jose';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { malformed } from '../calls/failure.ts';
import { jtiSchema, refuseNonAdmin } from '../edge/identity.ts';
import type { KnownAgents } from '../edge/known-agents.ts';
import { sendFailure } from './errors.ts';

const day = 86_400;
const mintBody = z.strictObject({
  sub: idSchema,
  ttlSeconds: z
    .int()
    .min(1)
    .max(365 * day)
    .default(day),
  channels: z.array(idSchema).max(64).optional(),
  role: z.literal('admin').optional(),
  kind: agentKindSchema.optional(),
});
const minted = z.object({ token: z.string(), jti: z.string(), expiresAt: z.int() });
const jtiParams = z.strictObject({ jti: jtiSchema.min(1) });
const subQuery = z.object({ sub: idSchema });

export const tokenOperations: readonly RestOperation[] = [
  {
    operationId: 'tokens.mint',
    tag: 'tokens',
    summary: 'Mints a token (HS256 hubs only).',
    route: { verb: 'POST', path: '/tokens', status: 201 },
    params: mintBody,
    result: minted,
  },
  {
    operationId: 'tokens.revoke',
    tag: 'tokens',
    summary: 'Revokes one token; its sockets close within a second.',
    route: { verb: 'DELETE', path: '/tokens/:jti' },
    params: jtiParams,
    result: z.object({}),
  },
  {
    operationId: 'tokens.revokeAll',
    tag: 'tokens',
    summary: 'Revokes every token of an agent issued so far.',
    route: { verb: 'DELETE', path: '/tokens' },
    params: subQuery,
    result: z.object({}),
  },
];

/** Adds /v1/tokens, for admins: minting with the hub's own secret, and revoking one token or all tokens of an agent. */
export function addTokenRoutes(
  app: FastifyInstance,
  { store, knownAgents }: { readonly store: ChatStore; readonly knownAgents: KnownAgents },
  secret: string | null,
): void {
  app.addHook('preHandler', async (request, reply) => {
    const refusal = refuseNonAdmin(request.identity, 'manage tokens');
    if (refusal) return sendFailure(reply, refusal);
  });

  app.post('/tokens', async (request, reply) => {
    if (secret === null)
      return sendFailure(reply, refuse('unsupported', 'this hub has no secret to sign with'));
    const body = mintBody.safeParse(request.body);
    if (!body.success) {
      return sendFailure(reply, malformed('invalid_params', z.prettifyError(body.error)));
    }
    knownAgents.minted(body.data.sub);
    return reply.code(201).send(await mintToken(secret, body.data));
  });

  app.delete('/tokens/:jti', async (request, reply) => {
    const params = jtiParams.safeParse(request.params);
    if (!params.success) {
      return sendFailure(reply, malformed('invalid_params', 'this is not the jti of a token'));
    }
    await store.revoke({ jti: params.data.jti });
    return reply.send({});
  });

  app.delete('/tokens', async (request, reply) => {
    const query = subQuery.safeParse(request.query);
    if (!query.success) {
      const message = 'name the agent whose tokens to revoke with ?sub=<agentId>';
      return sendFailure(reply, malformed('invalid_params', message));
    }
    await store.revoke({ sub: query.data.sub });
    return reply.send({});
  });
}

/** Signs a token with the hub's HS256 secret. Each token gets its own `jti`, so that it can be revoked alone. */
export async function mintToken(
  secret: string,
  { sub, ttlSeconds, ...claims }: z.output<typeof mintBody>,
): Promise<z.output<typeof minted>> {
  const jti = randomUUID();
  const issuedAt = Math.floor(Date.now() / 1000);
  const expiresAt = issuedAt + ttlSeconds;
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(sub)
    .setJti(jti)
    .setIssuedAt(issuedAt)
    .setExpirationTime(expiresAt)
    .sign(new TextEncoder().encode(secret));
  return { token, jti, expiresAt: expiresAt * 1000 };
}
