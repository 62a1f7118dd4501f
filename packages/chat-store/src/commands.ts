import type {
  EncodedEnvelope,
  ErrorCode,
  MethodOfKind,
  ParamsOf,
  ResultOf,
} from '@openclaw/protocol';

/** Who calls: from the token, never from the params. */
export interface Actor {
  readonly agentId: string;
  /** May do all that members and owners may, in every channel. */
  readonly isAdmin: boolean;
  /** The token's own list: it bounds everything, admins too. Absent or null: no bound. */
  readonly channels?: readonly string[] | null;
  /** False: a direct message that would create its channel is `rate_limited`. Absent: it may create it. */
  readonly mayOpenDirects?: boolean;
}

/** The methods that write, decided under their channel's lock. */
export type WriteMethod = MethodOfKind<'write'>;

/** The methods that read, with rights checked in the same snapshot. */
export type ReadMethod = MethodOfKind<'read'>;

/** One write, as data. */
export type CommandOf<M extends WriteMethod> = {
  readonly actor: Actor;
  readonly method: M;
  readonly params: ParamsOf<M>;
};

/** Any write, as data; told apart by `method`. */
export type Command = { [M in WriteMethod]: CommandOf<M> }[WriteMethod];

/** An expected no. `unavailable`: nothing happened. `timeout`: it may have happened. */
export interface Refusal {
  readonly ok: false;
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryAfterMs?: number;
}

/** What became of a write. */
export type Outcome<M extends WriteMethod = WriteMethod> =
  | {
      readonly ok: true;
      readonly result: ResultOf<M>;
      /** The event it appended to the channel's log; null when nothing changed or it was a repeat. */
      readonly event: EncodedEnvelope | null;
      /** The agents whose own topic gets the event too: both of a direct channel, members mentioned, added, removed. */
      readonly agentTopics: readonly string[];
    }
  | Refusal;

/** What a read answered. */
export type ReadOutcome<M extends ReadMethod = ReadMethod> =
  { readonly ok: true; readonly result: ResultOf<M> } | Refusal;

/** A read's answer as the JSON of its result: UTF-8, in pieces to be joined in this order. */
export type ReadJsonOutcome = { readonly ok: true; readonly json: readonly Uint8Array[] } | Refusal;

/** Makes a {@link Refusal}. */
export function refuse(code: ErrorCode, message: string, retryAfterMs?: number): Refusal {
  return retryAfterMs === undefined
    ? { ok: false, code, message }
    : { ok: false, code, message, retryAfterMs };
}
