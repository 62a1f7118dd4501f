import type {
  Ask,
  ErrorCode,
  FreezeScope,
  Message,
  MethodName,
  ParamIssue,
  Question,
  RpcError,
} from '@openclaw/protocol';
import { msFromHub } from './hub-times.ts';

/**
 * A code of the hub, or a code of the client:
 * - `invalid`: a call or an option is malformed; `issues` holds the hub's list of problems by field.
 * - `disconnected`: the connection was lost and the call cannot be repeated safely. It may have taken effect.
 * - `queue_full`: too many calls are waiting.
 * - `overflow`: a channel ended before a slow reader of `events()` received all of it.
 * - `closed`: the client was closed.
 */
export type HubErrorCode =
  ErrorCode | 'invalid' | 'disconnected' | 'queue_full' | 'overflow' | 'closed';

/** The details of a refusal. The comment of each field names the codes that have it. */
export interface HubErrorData {
  readonly code?: ErrorCode;
  readonly retryAfterMs?: number;
  /** `superseded`: the messages that came after `basedOn`, at most 20, oldest first. */
  readonly newer?: readonly Message[];
  /** `conflict` of a claim: the agent that holds the thread, until `untilMs`. */
  readonly holder?: string;
  readonly untilMs?: number;
  /** `conflict` of an answer to an ask: the ask. */
  readonly ask?: Ask;
  /** `conflict` of an answer to a question that has ended: the question. */
  readonly question?: Question;
  /** `not_found` of an ask: the agents that are no members, or not known. */
  readonly agentIds?: readonly string[];
  /** `frozen`: what is frozen. */
  readonly scope?: FreezeScope;
  /** `paused`: the end of the pause in epoch ms; null: until a person writes. */
  readonly pausedUntilMs?: number | null;
  /** `conflict` of a growing message: the length and the state that it has at the hub. */
  readonly length?: number;
  readonly state?: Message['state'];
  /** Fields that only newer hubs send. */
  readonly [field: string]: unknown;
}

/** The only error of this package, apart from an aborted signal's reason. Branch on `code`. */
export class HubError extends Error {
  override readonly name = 'HubError';
  readonly code: HubErrorCode;
  /** The call that failed; null for an error of the connection or of an option. */
  readonly method: MethodName | null;
  /** At most an hour; null without advice from the hub. */
  readonly retryAfterMs: number | null;
  /** The problems of a malformed call, by field. */
  readonly issues: readonly ParamIssue[];
  /** The fields of a refusal, such as the `holder` of a claim; empty for any other error. */
  readonly data: HubErrorData;

  constructor(
    code: HubErrorCode,
    message: string,
    more: {
      retryAfterMs?: number | null;
      issues?: readonly ParamIssue[];
      data?: HubErrorData;
      method?: MethodName;
      cause?: unknown;
    } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.method = more.method ?? null;
    this.retryAfterMs = msFromHub(more.retryAfterMs);
    this.issues = more.issues ?? [];
    this.data = more.data ?? {};
  }
}

export function fromRpcError(error: RpcError, method: MethodName): HubError {
  const { message } = error;
  if (error.code === -32_000) {
    const { code, retryAfterMs = null } = error.data;
    return new HubError(code, message, { retryAfterMs, data: error.data, method });
  }
  const issues = 'data' in error ? (error.data ?? []) : [];
  const problems = issues.map(({ path, message }) =>
    [path.join('.'), message].filter(Boolean).join(': '),
  );
  return new HubError('invalid', [message, ...problems].join('; '), { issues, method });
}

const retryableCodes: ReadonlySet<HubErrorCode> = new Set<HubErrorCode>([
  'unavailable',
  'timeout',
  'internal',
  'rate_limited',
  'queue_full',
]);

/** The pause before a repeat of the call; null when a repeat would not help. */
export function retryPauseMs(error: unknown): number | null {
  if (!(error instanceof HubError) || !retryableCodes.has(error.code)) return null;
  return error.retryAfterMs ?? 1_000;
}
