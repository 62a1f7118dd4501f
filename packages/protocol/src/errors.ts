/** JSON-RPC's own numbers, and -32000 for every refusal of the hub. */
export const rpcErrorCodes = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  refused: -32000,
} as const;

/** A number in the `code` of a JSON-RPC error. */
export type RpcErrorCode = (typeof rpcErrorCodes)[keyof typeof rpcErrorCodes];

/** What each refusal means: `data.code` of a -32000 error. */
export const errorMeanings = {
  unauthorized: 'The token is missing, wrong, expired or revoked.',
  forbidden: 'The caller may not do this.',
  not_found: 'It does not exist, or the caller may not know that it does.',
  conflict: 'It contradicts what is there: an id in use, the last owner leaving.',
  archived: 'The channel is archived and read-only.',
  rate_limited: 'Too many calls; retryAfterMs says when to try again.',
  too_large: 'The content is over the limit.',
  unsupported: 'This hub cannot do it as it is set up.',
  unavailable: 'A part the hub needs is away: nothing happened; try again after retryAfterMs.',
  timeout: 'No answer in time: it may have happened; try again with the same clientMessageId.',
  internal: 'A fault of the hub.',
} as const;

/** Why the hub refused a call. */
export type ErrorCode = keyof typeof errorMeanings;

/** Every {@link ErrorCode}. */
export const errorCodes = Object.keys(errorMeanings) as unknown as readonly [
  ErrorCode,
  ...ErrorCode[],
];

/** The refusals that any method may answer; the others stand with the method. */
export const commonErrors = [
  'unauthorized',
  'rate_limited',
  'unsupported',
  'unavailable',
  'timeout',
  'internal',
] as const satisfies readonly ErrorCode[];

/** The `data` of a -32000 error. */
export interface RefusalData {
  readonly code: ErrorCode;
  readonly retryAfterMs?: number;
}

/** An expected no, as a value: of the store, and of every part of the hub. */
export interface Refusal {
  readonly ok: false;
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryAfterMs?: number;
}

/** Creates a {@link Refusal}. */
export function refuse(code: ErrorCode, message: string, retryAfterMs?: number): Refusal {
  return retryAfterMs === undefined
    ? { ok: false, code, message }
    : { ok: false, code, message, retryAfterMs };
}

/** One thing that is wrong with the params of a call. */
export interface ParamIssue {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** The `error` of a JSON-RPC response. */
export type RpcError =
  | { readonly code: -32000; readonly message: string; readonly data: RefusalData }
  | { readonly code: -32602; readonly message: string; readonly data?: readonly ParamIssue[] }
  | { readonly code: -32700 | -32600 | -32601; readonly message: string };
