import { Readable } from 'node:stream';
import {
  agentKindSchema,
  methods,
  type MethodDefinition,
  type RestRoute,
} from '@openclaw/protocol';
import { rateLimitHeaders } from '@openclaw/ratelimit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { malformed, type Failure } from '../calls/failure.ts';
import type { Invoke, Limiter, Reply } from '../calls/invoke.ts';
import type { Identity } from '../edge/identity.ts';
import type { RequestTrace } from '../observe/request-trace.ts';
import { sendFailure } from './errors.ts';
import { idleConnectionMs } from './server-options.ts';

declare module 'fastify' {
  interface FastifyRequest {
    identity: Identity;
    /** True once the call was passed to the hub, which then counts it. */
    isInvoked: boolean;
    trace: RequestTrace;
  }
  interface FastifyReply {
    failure: Failure['code'] | null;
  }
  interface FastifyContextConfig {
    readonly rpcMethod?: string;
  }
}

export interface CallRoutesDeps {
  readonly invoke: Invoke;
  readonly limiter: Pick<Limiter, 'limits'>;
}

export function addCallRoutes(app: FastifyInstance, deps: CallRoutesDeps): void {
  for (const [name, definition] of Object.entries<MethodDefinition>(methods)) {
    addRoute(app, deps, name, definition, { verb: 'POST', path: `/call/${name}` });
    if (definition.rest) addRoute(app, deps, name, definition, definition.rest);
  }
  app.post<{ Params: { method: string } }>(
    '/call/:method',
    { config: { rpcMethod: 'unknown' } },
    (request, reply) => run(deps, request, reply, request.params.method, {}),
  );
}

function addRoute(
  app: FastifyInstance,
  deps: CallRoutesDeps,
  name: string,
  definition: MethodDefinition,
  { verb, path, status }: RestRoute,
): void {
  const readQuery =
    verb === 'GET' || verb === 'DELETE' ? createQueryReader(definition.params) : null;
  app.route({
    method: verb,
    url: path,
    config: { rpcMethod: name },
    handler(request, reply) {
      // When the params are in the body, the query holds only the sign-in.
      const given = readQuery
        ? readQuery(request.query as Record<string, unknown>)
        : (request.body ?? {});
      // Types are checked before the spread, which would make one key per item of an array or per character of a
      // string.
      if (request.body === null || !isObject(given)) {
        const issues = [{ path: [], message: 'the body must be a JSON object' }];
        return sendFailure(reply, malformed('invalid_params', 'invalid request', issues));
      }
      const params = { ...given, ...(request.params as Record<string, unknown>) };
      return run(deps, request, reply, name, params, status);
    },
  });
}

async function run(
  { invoke, limiter }: CallRoutesDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  method: string,
  params: object,
  status: 200 | 201 = 200,
): Promise<FastifyReply> {
  request.isInvoked = true;
  await invoke({
    caller: {
      identity: request.identity,
      transport: 'rest',
      session: null,
      trace: request.trace,
    },
    method,
    params,
    headers: request.headers,
    // An agent over its allowance was already refused, before its body was read.
    overAllowanceMs: null,
    onGone(listener) {
      const { socket } = request.raw;
      // Nothing is written while the call waits, so the server's timeout for idle connections must not apply.
      socket.setTimeout(0);
      reply.raw.once('close', listener);
      return () => {
        reply.raw.off('close', listener);
        socket.setTimeout(idleConnectionMs);
      };
    },
    onLimit(action, decision) {
      void reply.headers(rateLimitHeaders(action, limiter.limits[action].windowMs, decision));
    },
    respond: (result) => respond(reply, result, status),
  });
  return reply;
}

async function respond(reply: FastifyReply, result: Reply, status: number): Promise<void> {
  if (!result.ok) {
    sendFailure(reply, result);
    return;
  }
  const { json, reserved } = result;
  const pieces = typeof json === 'string' ? [Buffer.from(json)] : json;
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  reserved?.settle(length);
  reply.code(status).type('application/json; charset=utf-8');
  const [only] = pieces;
  // Joining the pieces of a large answer would block the event loop, so they are streamed.
  if (only && pieces.length === 1) reply.send(only);
  else
    reply
      .header('content-length', length)
      .send(Readable.from(pieces, { objectMode: true, highWaterMark: 1 }));
  // The memory stays reserved until the client has read the answer or disconnected.
  if (reserved && !reply.raw.destroyed)
    await new Promise<void>((resolve) => reply.raw.once('close', resolve));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

type ParamType = 'integer' | 'boolean' | 'other';

/** Converts a query to the types of the schema, which refuses values that do not fit. Unknown names are ignored. */
function createQueryReader(
  params: z.ZodObject,
): (query: Record<string, unknown>) => Record<string, unknown> {
  const shape = params.shape as Record<string, z.ZodType>;
  const types = new Map(Object.entries(shape).map(([name, schema]) => [name, typeOf(schema)]));
  return (query) =>
    Object.fromEntries(
      Object.entries(query).flatMap(([name, value]) => {
        const type = types.get(name);
        return type === undefined || isDevKind(name, value) ? [] : [[name, coerce(value, type)]];
      }),
    );
}

// In dev mode `?kind=` may name the caller's kind, but channel.list also has a param `kind`. The value tells which
// of the two is meant.
function isDevKind(name: string, value: unknown): boolean {
  return name === 'kind' && agentKindSchema.safeParse(value).success;
}

function typeOf(schema: z.ZodType): ParamType {
  const text = JSON.stringify(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
  if (text.includes('"integer"')) return 'integer';
  return text.includes('"boolean"') ? 'boolean' : 'other';
}

function coerce(value: unknown, type: ParamType): unknown {
  if (typeof value !== 'string') return value;
  if (type === 'integer' && /^\d{1,16}$/.test(value)) return Number(value);
  if (type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
  return value;
}
