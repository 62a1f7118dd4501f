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
  /** True if the end of a growing message reached the limit. Otherwise absent. */
  readonly byStreams?: true;
}

export interface StreamPiece {
  readonly channelId: string;
  readonly messageId: string;
  /** The length of the text before this piece, in UTF-16 code units. */
  readonly from: number;
  readonly text: string;
}

/** The caller. These fields are from its token or from the hub, never from the params of a call. */
export interface Actor {
  readonly agentId: string;
  /** Absent or null when unknown. */
  readonly kind?: SenderKind | null;
  /** An admin has the rights of members and owners in every channel. */
  readonly isAdmin: boolean;
  /** If false, an admin's lists leave out the private and direct channels of which it is no member. @default true */
  readonly observesPrivate?: boolean;
  /** The channels to which the token is limited, also for an admin. Absent or null: all channels. */
  readonly channels?: readonly string[] | null;
  /** The freeze that covers the actor in every channel; see decide/freezes.ts. */
  readonly frozen?: 'hub' | 'agent';
  /** The audit entry of a freeze or of its end. It is recorded in the same transaction. */
  readonly audit?: AuditRecord;
  /** Agents that the actor addresses in a loop; see decide/budgets.ts. */
  readonly loops?: readonly AddressedLoop[];
  /** If false, a direct message that would create its channel is refused as `rate_limited`. */
  readonly mayOpenDirects?: boolean;
  /** For `message.finish`: the end of the text, if the hub has not checkpointed it yet. */
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
  /** The channel of the ask or question, if the params name it only by its id. */
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
   * Agents whose own topic also gets the event. In a direct channel, these are both agents. In any other channel, these
   * are the agents that the event concerns, such as those who were mentioned, asked, added or removed.
   */
  readonly agentTopics: readonly string[];
  /** Agents whose inboxes got the event. Absent: none. */
  inboxes?: readonly string[];
  /** Present only when a public channel was created, archived or deleted. */
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
      /** This event belongs to no channel, so it is in no log. */
      readonly globalEvent?: {
        readonly name: string;
        readonly payload: Readonly<Record<string, unknown>>;
      };
    }
  | Refusal;

export type ReadOutcome<M extends ReadMethod = ReadMethod> =
  { readonly ok: true; readonly result: ResultOf<M> } | Refusal;

/** The pieces are UTF-8. Joined in this order, they are the result. */
export type ReadJsonOutcome = { readonly ok: true; readonly json: readonly Uint8Array[] } | Refusal;
