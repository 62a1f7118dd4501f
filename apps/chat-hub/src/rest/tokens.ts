import type { ChatStore } from '@openclaw/chat-store';
import { idSchema } from '@openclaw/protocol';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { isAdminOfAll } from '../edge/identity.ts';
import { jtiSchema, mintToken } from '../edge/mint.ts';
import { refuse } from '../calls/answer.ts';
import { errorBody, sendRefusal } from './errors.ts';

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
});
const minted = z.object({ token: z.string(), jti: z.string(), expiresAt: z.int() });
const responses = { '4xx': errorBody, '5xx': errorBody };

/** /v1/tokens, for admins: minting with the hub's own secret, and revoking one token or all of an agent's. */
export function addTokenRoutes(
  app: FastifyInstance,
  store: ChatStore,
  secret: string | null,
): void {
  app.addHook('preHandler', async (request, reply) => {
    if (!isAdminOfAll(request.identity))
      return sendRefusal(
        reply,
        refuse('forbidden', 'only an admin whose token is not bound to channels may manage tokens'),
      );
  });

  app.post(
    '/tokens',
    {
      schema: {
        tags: ['tokens'],
        summary: 'Mints a token (HS256 hubs only).',
        body: mintBody,
        response: { 201: minted, ...responses },
      },
    },
    async (request, reply) => {
      if (secret === null)
        return sendRefusal(reply, refuse('unsupported', 'this hub has no secret to sign with'));
      const body = mintBody.safeParse(request.body);
      if (!body.success) {
        return reply
          .code(400)
          .send({ error: { code: 'invalid_params', message: z.prettifyError(body.error) } });
      }
      const { sub, ...claims } = body.data;
      return reply.code(201).send(await mintToken(secret, { agentId: sub, ...claims }));
    },
  );

  const jtiParams = z.strictObject({ jti: jtiSchema.min(1) });
  app.delete(
    '/tokens/:jti',
    {
      schema: {
        tags: ['tokens'],
        summary: 'Revokes one token; its sockets close within a second.',
        params: jtiParams,
        response: { 200: z.object({}), ...responses },
      },
    },
    async (request, reply) => {
      const params = jtiParams.safeParse(request.params);
      if (!params.success) {
        return reply
          .code(400)
          .send({ error: { code: 'invalid_params', message: 'that is the jti of no token' } });
      }
      await store.revoke({ jti: params.data.jti });
      return reply.send({});
    },
  );

  const subQuery = z.object({ sub: idSchema });
  app.delete(
    '/tokens',
    {
      schema: {
        tags: ['tokens'],
        summary: 'Revokes every token of an agent issued so far.',
        querystring: subQuery,
        response: { 200: z.object({}), ...responses },
      },
    },
    async (request, reply) => {
      const query = subQuery.safeParse(request.query);
      if (!query.success) {
        return reply.code(400).send({
          error: { code: 'invalid_params', message: 'say whose tokens with ?sub=<agentId>' },
        });
      }
      await store.revoke({ sub: query.data.sub });
      return reply.send({});
    },
  );
}
