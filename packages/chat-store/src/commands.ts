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

/** The actor has addressed `agentId` too often since `sinceMs`, and may do so again from `untilMs` on. */
export interface AddressedLoop {
  readonly agentId: string;
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** Text that a hub appends to a growing message. */
export interface StreamPiece {
  readonly channelId: string;
  readonly messageId: string;
  /** The length of the text before the piece, in UTF-16 code units. */
  readonly from: number;
  readonly text: string;
}

/** The caller according to its token; never taken from the params. */
export interface Actor {
  readonly agentId: string;
  /** The token's kind; absent or null when unknown. */
  readonly kind?: SenderKind | null;
  /** Has the rights of members and owners in every channel. */
  readonly isAdmin: boolean;
  /** False: the lists of an admin leave out private and direct channels of which it is no member. @default true */
  readonly observesPrivate?: boolean;
  /** The channels that the token is limited to, also for admins. Absent or null: no limit. */
  readonly channels?: readonly string[] | null;
  /** The freeze that covers the actor in every channel; see decide/freezes.ts. */
  readonly frozen?: 'hub' | 'agent';
  /** Recorded in the transaction of a freeze, or of its end. */
  readonly audit?: AuditRecord;
  /** The agents that the actor has addressed too often; see decide/budgets.ts. Absent: none. */
  readonly loops?: readonly AddressedLoop[];
  /**
   * False: a direct message that would create its channel is `rate_limited`. Absent: the message may create the
   * channel.
   */
  readonly mayOpenDirects?: boolean;
  /** For `message.finish`: the end of the text, which the hub has not checkpointed yet. */
  readonly unsaved?: StreamPiece;
  /** The transport of the call, for the origin of a message. @default 'ws' */
  readonly via?: Origin['via'];
  /** The token's claim `on_behalf_of`. */
  readonly onBehalfOf?: string | null;
}

export type WriteMethod = MethodOfKind<'write'>;

export type ReadMethod = MethodOfKind<'read'>;

export type CommandOf<M extends WriteMethod> = {
  readonly actor: Actor;
  readonly method: M;
  readonly params: ParamsOf<M>;
  /** The channel of the ask or question that the params name by its id alone. */
  readonly channelId?: string;
};

/** An expired ask or question. */
export interface Expiry {
  readonly kind: 'ask' | 'question';
  readonly id: string;
  readonly channelId: string;
}

/** A write that the hub itself causes. */
export interface ExpireCommand {
  readonly method: 'expire';
  readonly params: Expiry;
}

/** Any write as data; a union by `method`. */
export type Command = { [M in WriteMethod]: CommandOf<M> }[WriteMethod] | ExpireCommand;

export interface AppendedEvent {
  readonly event: EncodedEnvelope;
  /**
   * The agents whose own topic also gets the event: both agents of a direct channel, and members who were mentioned,
   * added or removed.
   */
  readonly agentTopics: readonly string[];
  /** The agents in whose inboxes the event was put; absent: none. */
  inboxes?: readonly string[];
  /** Present when a public channel was created, archived or deleted. */
  readonly announcement?: ChannelAnnouncement;
}

export type Outcome<M extends WriteMethod = WriteMethod> =
  | {
      readonly ok: true;
      readonly result: ResultOf<M>;
      /** In the order of their seqs; empty when nothing changed or the write was a repeat. */
      readonly events: readonly AppendedEvent[];
      /** The agents that a message of an agent addresses: it mentions, answers, or is sent to them. */
      readonly addressed?: readonly string[];
      /** Present when an event is due on the global topic, which is in no log. */
      readonly globalEvent?: {
        readonly name: string;
        readonly payload: Readonly<Record<string, unknown>>;
      };
    }
  | Refusal;

export type ReadOutcome<M extends ReadMethod = ReadMethod> =
  { readonly ok: true; readonly result: ResultOf<M> } | Refusal;

/** A read's answer as the JSON of its result: UTF-8, in pieces to be joined in this order. */
export type ReadJsonOutcome = { readonly ok: true; readonly json: readonly Uint8Array[] } | Refusal;
