import type {
  ChannelAnnouncement,
  EncodedEnvelope,
  MethodOfKind,
  Origin,
  ParamsOf,
  Refusal,
  ResultOf,
  SenderKind,
} from '@openclaw/protocol';

import type { AuditRecord } from './core/audit.ts';

export { refuse, refuseWith, type Refusal } from '@openclaw/protocol/wire';

/** The actor has addressed `agentId` too often since `sinceMs`; it may do so again from `untilMs` on. */
export interface AddressedLoop {
  readonly agentId: string;
  readonly sinceMs: number;
  readonly untilMs: number;
  /** True if ends of growing messages address `agentId`. Absent if other messages do. */
  readonly byStreams?: true;
}

export interface StreamPiece {
  readonly channelId: string;
  readonly messageId: string;
  /** The length of the text before the piece, in UTF-16 code units. */
  readonly from: number;
  readonly text: string;
}

/** The caller according to its token, never to the params. */
export interface Actor {
  readonly agentId: string;
  /** Absent or null when unknown. */
  readonly kind?: SenderKind | null;
  /** An admin has the rights of members and owners in every channel. */
  readonly isAdmin: boolean;
  /** False: the lists of an admin leave out private and direct channels of which it is no member. @default true */
  readonly observesPrivate?: boolean;
  /** The only channels of the token, also for admins. Absent or null: no limit. */
  readonly channels?: readonly string[] | null;
  /** The freeze that covers the actor in every channel; see decide/freezes.ts. */
  readonly frozen?: 'hub' | 'agent';
  /** Recorded in the transaction of a freeze or its end. */
  readonly audit?: AuditRecord;
  /** See decide/budgets.ts. */
  readonly loops?: readonly AddressedLoop[];
  /** False: a direct message that would create its channel is `rate_limited`. */
  readonly mayOpenDirects?: boolean;
  /** For `message.finish`: the end of the text, which the hub has not checkpointed. */
  readonly unsaved?: StreamPiece;
  /** @default 'ws' */
  readonly via?: Origin['via'];
  readonly onBehalfOf?: string | null;
}

export type WriteMethod = MethodOfKind<'write'>;

export type ReadMethod = MethodOfKind<'read'>;

export type CommandOf<M extends WriteMethod> = {
  readonly actor: Actor;
  readonly method: M;
  readonly params: ParamsOf<M>;
  /** The channel of the ask or question that the params name by id. */
  readonly channelId?: string;
};

export interface Expiry {
  readonly kind: 'ask' | 'question';
  readonly id: string;
  readonly channelId: string;
}

export interface ExpireCommand {
  readonly method: 'expire';
  readonly params: Expiry;
}

export type Command = { [M in WriteMethod]: CommandOf<M> }[WriteMethod] | ExpireCommand;

export interface AppendedEvent {
  readonly event: EncodedEnvelope;
  /**
   * Agents whose own topic also gets the event: both agents of a direct channel, and members who were mentioned, added
   * or removed.
   */
  readonly agentTopics: readonly string[];
  /** Agents whose inboxes got the event. Absent: none. */
  inboxes?: readonly string[];
  /** For a public channel that was created, archived or deleted. */
  readonly announcement?: ChannelAnnouncement;
}

export type Outcome<M extends WriteMethod = WriteMethod> =
  | {
      readonly ok: true;
      readonly result: ResultOf<M>;
      /** In the order of their seqs. Empty when nothing changed or the write was a repeat. */
      readonly events: readonly AppendedEvent[];
      /**
       * Agents that an agent's message mentions, answers, or is sent to. For the end of a growing message, only agents
       * that its beginning did not address.
       */
      readonly addressed?: readonly string[];
      /** No log has this event. */
      readonly globalEvent?: {
        readonly name: string;
        readonly payload: Readonly<Record<string, unknown>>;
      };
    }
  | Refusal;

export type ReadOutcome<M extends ReadMethod = ReadMethod> =
  { readonly ok: true; readonly result: ResultOf<M> } | Refusal;

/** UTF-8, in pieces to be joined in this order. */
export type ReadJsonOutcome = { readonly ok: true; readonly json: readonly Uint8Array[] } | Refusal;
