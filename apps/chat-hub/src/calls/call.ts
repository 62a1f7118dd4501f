import { rpcErrorCodes, type RpcError } from '@openclaw/protocol';

/** What an answer is known by. */
export type Id = string | number | null;

/** A well-formed JSON-RPC call; without id it wants no answer. */
export interface Call {
  readonly id: Id | undefined;
  readonly method: string;
  readonly params: unknown;
}

// A number that came in too large to be kept would go back as another, or as null: an answer to nobody.
function isCallId(id: unknown): id is Id | undefined {
  return id === undefined || id === null || typeof id === 'string'
    ? true
    : typeof id === 'number' && Math.abs(id) <= Number.MAX_SAFE_INTEGER;
}

/** Reads a JSON-RPC 2.0 request object; what is none comes back as the error to answer, under the id where it has one. */
export function callOf(value: unknown): Call | { readonly id: Id; readonly error: RpcError } {
  const invalid = (id: Id, message: string) => ({
    id,
    error: { code: rpcErrorCodes.invalidRequest, message },
  });
  if (typeof value !== 'object' || value === null) return invalid(null, 'a call is an object');
  const { jsonrpc, id, method, params } = value as Record<string, unknown>;
  if (!isCallId(id)) return invalid(null, 'id must be a string or a number that keeps its value');
  if (jsonrpc !== '2.0') return invalid(id ?? null, 'jsonrpc must be "2.0"');
  if (typeof method !== 'string') return invalid(id ?? null, 'method must be a string');
  if (params !== undefined && (typeof params !== 'object' || params === null)) {
    return invalid(id ?? null, 'params must be an object');
  }
  return { id, method, params };
}
