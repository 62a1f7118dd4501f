import { rpcErrorCodes, type RpcError } from '@openclaw/protocol';
import { malformed, type Failure, type MalformedCall } from './failure.ts';
import type { Reply } from './invoke.ts';

/** The id of a JSON-RPC call. */
export type Id = string | number | null;

/** A well-formed JSON-RPC call; without id it wants no answer. */
export interface RpcRequest {
  readonly id: Id | undefined;
  readonly method: string;
  readonly params: unknown;
}

/** A value that is no call, with the id under which to say so. */
export interface BadRequest {
  readonly id: Id;
  readonly failure: MalformedCall;
}

/** A frame's JSON: a text, or pieces of one in UTF-8. */
export type Payload = string | readonly Buffer[];

// A number too large for a double would go back as another number, and the answer would reach no call.
function isCallId(id: unknown): id is Id | undefined {
  return id === undefined || id === null || typeof id === 'string'
    ? true
    : typeof id === 'number' && Math.abs(id) <= Number.MAX_SAFE_INTEGER;
}

/** Reads a JSON-RPC 2.0 request object. */
export function readRequest(value: unknown): RpcRequest | BadRequest {
  const bad = (id: Id, message: string) => ({
    id,
    failure: malformed('invalid_request', message),
  });
  if (typeof value !== 'object' || value === null) return bad(null, 'a call is an object');
  const { jsonrpc, id, method, params } = value as Record<string, unknown>;
  if (!isCallId(id)) return bad(null, 'id must be a string or a number that keeps its value');
  if (jsonrpc !== '2.0') return bad(id ?? null, 'jsonrpc must be "2.0"');
  if (typeof method !== 'string') return bad(id ?? null, 'method must be a string');
  if (params !== undefined && (typeof params !== 'object' || params === null)) {
    return bad(id ?? null, 'params must be an object');
  }
  return { id, method, params };
}

/** Writes the JSON-RPC response of a reply. */
export function writeReply(id: Id, reply: Reply): Payload {
  if (!reply.ok) return writeFailure(id, reply);
  const [before, after] = [`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":`, '}'];
  const { json } = reply;
  return typeof json === 'string'
    ? `${before}${json}${after}`
    : [Buffer.from(before), ...json, Buffer.from(after)];
}

/** Writes the JSON-RPC response of a failed call. */
export function writeFailure(id: Id, failure: Failure): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error: rpcErrorOf(failure) });
}

function rpcErrorOf(failure: Failure): RpcError {
  const { message } = failure;
  switch (failure.code) {
    case 'parse_error':
      return { code: rpcErrorCodes.parseError, message };
    case 'invalid_request':
      return { code: rpcErrorCodes.invalidRequest, message };
    case 'method_not_found':
      return { code: rpcErrorCodes.methodNotFound, message };
    case 'invalid_params':
      return { code: rpcErrorCodes.invalidParams, message, data: failure.issues ?? [] };
    default: {
      const { code, retryAfterMs } = failure;
      const data = retryAfterMs === undefined ? { code } : { code, retryAfterMs };
      return { code: rpcErrorCodes.refused, message, data };
    }
  }
}
