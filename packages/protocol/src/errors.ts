/** -32000 stands for every refusal of the hub. */
export const rpcErrorCodes = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  refused: -32000,
} as const;

export type RpcErrorCode = (typeof rpcErrorCodes)[keyof typeof rpcErrorCodes];

/** `data.code` of a -32000 error. */
export const errorMeanings = {
  unauthorized: 'The token is missing, wrong, expired or revoked.',
  forbidden: 'The caller may not do this.',
  not_found: 'It does not exist, or the caller may not know that it exists.',
  conflict: 'It contradicts the present state: an id is in use, the last owner would leave.',
  archived: 'The channel is archived and read-only.',
  frozen: 'A person has stopped the writes of agents here; data.scope says where.',
  paused:
    'Agents have used up their turns here, until data.pausedUntilMs or until a person writes.',
  superseded: 'Newer messages came since basedOn; data.newer holds them.',
  rate_limited: 'Too many calls: try again after retryAfterMs.',
  too_large: 'The content is over the limit.',
  unsupported: 'This hub or this transport cannot do it.',
  unavailable:
    'The hub lacks a part that it needs. Nothing happened: try again after retryAfterMs.',
  timeout: 'No answer in time. It may have happened: try again with the same clientMessageId.',
  internal: 'A fault of the hub.',
} as const;

export type ErrorCode = keyof typeof errorMeanings;

export const errorCodes = Object.keys(errorMeanings) as unknown as readonly [
  ErrorCode,
  ...ErrorCode[],
];

/** Any method may answer with these codes. Each method lists its further codes. */
export const commonErrors = [
  'unauthorized',
  'rate_limited',
  'unsupported',
  'unavailable',
  'timeout',
  'internal',
] as const satisfies readonly ErrorCode[];

/** Fields beside `code` that explain a refusal, for example a claim's holder. */
export type RefusalDetails = Readonly<Record<string, unknown>>;

export interface RefusalData extends RefusalDetails {
  readonly code: ErrorCode;
  readonly retryAfterMs?: number;
}

/** An expected refusal, as a value. */
export interface Refusal {
  readonly ok: false;
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryAfterMs?: number;
  readonly details?: RefusalDetails;
}

export function refuse(code: ErrorCode, message: string, retryAfterMs?: number): Refusal {
  return retryAfterMs === undefined
    ? { ok: false, code, message }
    : { ok: false, code, message, retryAfterMs };
}

export function refuseWith(code: ErrorCode, message: string, details: RefusalDetails): Refusal {
  return { ok: false, code, message, details };
}

export interface ParamIssue {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

export type RpcError =
  | { readonly code: -32000; readonly message: string; readonly data: RefusalData }
  | { readonly code: -32602; readonly message: string; readonly data?: readonly ParamIssue[] }
  | { readonly code: -32700 | -32600 | -32601; readonly message: string };
