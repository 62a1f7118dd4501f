import { Readable } from 'node:stream';
import { methods, type MethodName } from '@openclaw/protocol';
import { httpRateLimit, type HttpRateLimit } from '@openclaw/ratelimit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Identity } from '../edge/identity.ts';
import type { Hub } from '../methods/hub.ts';
import { encodedText, pieceChars } from '../event-loop/encoded-text.ts';
import { actionOf, answerBytes, type LimitedAction } from '../calls/method-kinds.ts';
import { refuse, type Answer, type Handler, type Handlers } from '../calls/answer.ts';
import { refusalOfError, refuseUnsent, withoutNames } from '../calls/dispatcher.ts';
import { overlongListOf } from '../calls/overlong-list.ts';
import type { TimeSlicedQueue } from '../event-loop/time-sliced-queue.ts';
import type { Logger } from 'pino';
import { errorBody, sendRefusal } from './errors.ts';
import { paramsOf } from './params.ts';
import { routes, type Route } from './routes.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; set before any route below /v1 runs. */
    identity: Identity;
  }
}

/** Adds every route that mirrors a method. The method's own schema validates; the handler is the method's own. */
export function addMirroredRoutes(
  app: FastifyInstance,
  handlers: Handlers,
  { limiter, unsent, slices, log }: Pick<Hub, 'limiter' | 'unsent' | 'slices' | 'log'>,
): void {
  for (const route of routes) {
    const { method } = route;
    const limit = httpRateLimit<FastifyRequest, LimitedAction>(limiter, {
      action: actionOf(method),
      agentOf: (request) => request.identity.agentId,
    });
    addRoute(app, route, handlers[method], limit, { unsent, slices, log });
  }
}

function addRoute(
  app: FastifyInstance,
  route: Route,
  handler: Handler<MethodName>,
  limit: (request: FastifyRequest) => Promise<HttpRateLimit>,
  { unsent, slices, log }: Pick<Hub, 'unsent' | 'slices' | 'log'>,
): void {
  const { verb, path, method, status, tag } = route;
  const { params, result, summary } = methods[method];
  const split = paramsOf(route);
  app.route({
    method: verb,
    url: path,
    schema: {
      tags: [tag],
      summary,
      operationId: method,
      params: split.path,
      ...(split.query && { querystring: split.query }),
      ...(split.body && { body: split.body }),
      response: { [status]: result, '4xx': errorBody, '5xx': errorBody },
    },
    async handler(request, reply) {
      const { allowed, headers, problem } = await limit(request);
      reply.headers(headers);
      if (!allowed)
        return sendRefusal(
          reply,
          refuse('rate_limited', problem?.title ?? '', problem?.retryAfterMs),
        );
      const body = split.body ? request.body : undefined;
      // Before it is spread: a text or an array would become an object of as many keys as it is long.
      if (body !== undefined && !isObject(body)) return sendInvalid(reply, [notAnObject]);
      const given = {
        ...split.coerceQuery(request.query as Record<string, unknown>),
        ...body,
        ...(request.params as Record<string, unknown>),
      };
      const overlong = overlongListOf(given);
      if (overlong) return sendInvalid(reply, [{ path: overlong.name, message: overlong.message }]);
      const parsed = params.safeParse(given);
      if (!parsed.success) {
        const issues = parsed.error.issues
          .slice(0, 10)
          .map((issue) => ({ path: issue.path.join('.'), message: issue.message }));
        return sendInvalid(reply, issues);
      }
      const bytes = answerBytes(method, parsed.data);
      const held = bytes > 0 ? await unsent.reserve(request.identity.agentId, bytes) : null;
      if (bytes > 0 && !held) return sendRefusal(reply, refuseUnsent(unsent));
      // Until the client has taken the answer, or is gone.
      if (reply.raw.destroyed) held?.release();
      else reply.raw.once('close', () => held?.release());
      const answer = await call(handler, request, parsed.data, log);
      if (!answer.ok) return sendRefusal(reply, answer);
      const json = await encoded(answer, slices);
      const length = json.reduce((sum, piece) => sum + piece.byteLength, 0);
      held?.settle(length);
      reply.code(status).type('application/json; charset=utf-8');
      return sendBytes(reply, json, length);
    },
  });
}

interface Issue {
  readonly path: string;
  readonly message: string;
}

const notAnObject: Issue = { path: '', message: 'the body must be a JSON object' };

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sendInvalid(reply: FastifyReply, issues: readonly Issue[]): FastifyReply {
  return reply
    .code(400)
    .send({ error: { code: 'invalid_params', message: 'invalid request', issues } });
}

async function call(
  handler: Handler<MethodName>,
  { identity }: FastifyRequest,
  params: unknown,
  log: Logger,
): Promise<Answer<MethodName>> {
  try {
    return withoutNames(await handler({ identity, session: null }, params as never));
  } catch (error) {
    const refusal = refusalOfError(error);
    if (refusal.code === 'internal') log.error({ err: error }, 'a REST request failed');
    return refusal;
  }
}

/** The answer's JSON as UTF-8 in pieces, encoded in slices where it is much. */
async function encoded(
  answer: Exclude<Answer<MethodName>, { ok: false }>,
  slices: TimeSlicedQueue,
): Promise<readonly Uint8Array[]> {
  if ('resultBytes' in answer) return answer.resultBytes;
  if ('resultSteps' in answer) return slices.run(answer.resultSteps());
  const text = JSON.stringify(answer.result);
  return text.length <= pieceChars ? [Buffer.from(text)] : slices.run(encodedText(text));
}

// In pieces as they are: copied into one, a large answer would hold up the event loop.
function sendBytes(
  reply: FastifyReply,
  pieces: readonly Uint8Array[],
  length: number,
): FastifyReply {
  const [only] = pieces;
  if (only && pieces.length === 1) return reply.send(only);
  return reply
    .header('content-length', length)
    .send(Readable.from(pieces, { objectMode: true, highWaterMark: 1 }));
}
