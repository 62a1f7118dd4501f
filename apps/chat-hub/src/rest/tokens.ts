import type { AuditRecord, ChatStore, RevocationTarget } from '@openclaw/chat-store';
import { agentKindSchema, idSchema, limits, refuse, type RestOperation } from '@openclaw/protocol';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { malformed } from '../calls/failure.ts';
import { isAgentId, jtiSchema, refuseNonAdmin } from '../edge/identity.ts';
import type { Writer } from '../channels/writer.ts';
import type { KnownAgents } from '../edge/known-agents.ts';
import { mintToken } from '../edge/mint-token.ts';
import type { JwtSettings } from '../jwt-settings.ts';
import type { Audit } from '../observe/audit.ts';
import { refuseParams, sendFailure } from './errors.ts';
import { storable, wholeNumber } from './query.ts';

const day = 86_400;

export const mintBody = z.strictObject({
  sub: idSchema.refine(isAgentId, { error: 'is the hub itself' }),
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
const minterSchema = storable.min(1).max(128);
// Strict, because a misspelt `sub` beside `before` would otherwise revoke the tokens of every agent.
const revokeQuery = z
  .strictObject({
    access_token: z.string().optional(),
    agent: z.string().optional(),
    sub: idSchema.optional(),
    minter: minterSchema.optional(),
    before: wholeNumber(Number.MAX_SAFE_INTEGER).optional(),
    reason: storable.min(1).max(limits.reasonChars).optional().describe('For the audit log.'),
  })
  .refine(({ sub, minter }) => sub === undefined || minter === undefined, {
    message: 'name sub or minter, not both',
  })
  .refine(({ sub, minter, before }) => (sub ?? minter ?? before) !== undefined, {
    message: 'name the tokens with ?sub=<agentId>, ?minter=<minter> or ?before=<epoch ms>',
  });
const listQuery = z.object({
  sub: idSchema.optional(),
  minter: minterSchema.optional(),
  cursor: jtiSchema.min(1).optional(),
  limit: wholeNumber(limits.historyPage).default(limits.defaultPage),
});
const tokenPage = z.object({
  tokens: z.array(
    z.object({
      jti: z.string(),
      sub: z.string(),
      minter: z.string(),
      kind: agentKindSchema.nullable(),
      role: z.literal('admin').nullable(),
      channels: z.array(z.string()).nullable(),
      mintedAt: z.int(),
      expiresAt: z.int(),
      lastUsedAt: z.int().nullable(),
      revoked: z.boolean(),
    }),
  ),
  nextCursor: z.string().nullable(),
});

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
    operationId: 'tokens.list',
    tag: 'tokens',
    summary: 'Lists the minted tokens that have not expired, newest first; of one agent or minter.',
    route: { verb: 'GET', path: '/tokens' },
    params: listQuery,
    result: tokenPage,
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
    summary:
      'Revokes the tokens that were issued until now, or until `before`: to an agent, by a minter, or all.',
    route: { verb: 'DELETE', path: '/tokens' },
    params: z.object(revokeQuery.shape).omit({ access_token: true, agent: true }),
    result: z.object({}),
  },
];

export function addTokenRoutes(
  app: FastifyInstance,
  deps: {
    readonly store: ChatStore;
    readonly knownAgents: KnownAgents;
    readonly audit: Audit;
    readonly writer: Pick<Writer, 'refuseFrozen'>;
  },
  settings: JwtSettings | null,
): void {
  const { store, knownAgents, audit, writer } = deps;
  app.addHook('preHandler', async (request, reply) => {
    const { identity, method } = request;
    // Without this check, a frozen agent with an admin token could issue a new token and lift the freeze with it. It
    // could also revoke the tokens of other admins.
    const refusal =
      refuseNonAdmin(identity, 'manage tokens') ??
      (method === 'GET' ? null : writer.refuseFrozen(identity));
    if (refusal) return sendFailure(reply, refusal);
  });

  app.post('/tokens', async (request, reply) => {
    if (settings === null || settings.secrets.length === 0)
      return sendFailure(reply, refuse('unsupported', 'this hub has no secret to sign with'));
    const body = mintBody.safeParse(request.body);
    if (!body.success) return refuseParams(reply, body.error);
    const { sub, role, kind = null, channels = null } = body.data;
    const minter = request.identity.agentId;
    const issuedAtMs = await store.readTime();
    const answer = await mintToken(settings, { ...body.data, minter, issuedAtMs });
    const { jti, expiresAt: expiresAtMs } = answer;
    const isAdmin = role === 'admin';
    const record = recordOf(request, 'token.mint', sub, { jti, kind, isAdmin, channels });
    await store.recordMinted(
      { ...{ jti, sub, minter, kind, isAdmin, channels }, mintedAtMs: issuedAtMs, expiresAtMs },
      record,
    );
    audit.logged(record);
    knownAgents.minted(sub);
    return reply.code(201).send(answer);
  });

  app.get('/tokens', async (request, reply) => {
    const query = listQuery.safeParse(request.query);
    if (!query.success) return refuseParams(reply, query.error);
    const { tokens, nextCursor } = await store.readMinted(query.data);
    return reply.send({
      tokens: tokens.map((token) => ({
        ...{ jti: token.jti, sub: token.sub, minter: token.minter, kind: token.kind },
        ...{ role: token.isAdmin ? 'admin' : null, channels: token.channels },
        ...{ mintedAt: token.mintedAtMs, expiresAt: token.expiresAtMs },
        ...{ lastUsedAt: token.lastUsedAtMs, revoked: token.isRevoked },
      })),
      nextCursor,
    });
  });

  app.delete('/tokens/:jti', async (request, reply) => {
    const params = jtiParams.safeParse(request.params);
    if (!params.success) {
      return sendFailure(reply, malformed('invalid_params', 'this is not the jti of a token'));
    }
    await revoke(request, { jti: params.data.jti });
    return reply.send({});
  });

  app.delete('/tokens', async (request, reply) => {
    const query = revokeQuery.safeParse(request.query);
    if (!query.success) return refuseParams(reply, query.error);
    const { sub, minter, before, reason } = query.data;
    const until = before === undefined ? {} : { beforeMs: before };
    if (sub !== undefined) await revoke(request, { sub, ...until }, reason);
    else if (minter !== undefined) await revoke(request, { minter, ...until }, reason);
    else await revoke(request, { all: true, ...until }, reason);
    return reply.send({});
  });

  async function revoke(
    request: FastifyRequest,
    target: RevocationTarget,
    reason?: string,
  ): Promise<void> {
    const named = 'sub' in target ? target.sub : 'minter' in target ? target.minter : null;
    const record = recordOf(request, 'token.revoke', named, {
      ...target,
      ...(reason !== undefined && { reason }),
    });
    await store.revoke(target, record);
    audit.logged(record);
  }

  function recordOf(
    { identity, trace }: FastifyRequest,
    action: string,
    target: string | null,
    details: AuditRecord['details'],
  ): AuditRecord {
    const { requestId } = trace;
    return audit.recordOf({ identity, transport: 'rest', requestId }, { action, target, details });
  }
}
