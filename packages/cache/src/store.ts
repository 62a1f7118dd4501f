import { type RedisKey, ttlMs } from '@openclaw/key-schema';
import type { Raw } from './codec.ts';

export const viewNames = ['recentMessages', 'channel', 'members'] as const;
export type ViewName = (typeof viewNames)[number];

export const viewTtlMs: Readonly<Record<ViewName, number>> = {
  recentMessages: ttlMs.recentMessages,
  channel: ttlMs.channel,
  members: ttlMs.channelMembers,
};

/** The result of a lookup; `away` when Redis did not answer. */
export type Found =
  | { readonly state: 'hit'; readonly raw: Raw; readonly head: number }
  | { readonly state: 'miss' | 'corrupt' | 'away' };

/** The result of a fill; `refused` when an event arrived after the load, or the channel's head was unknown. */
export type Filled = 'filled' | 'refused' | 'away';

export interface ChannelHead {
  readonly channelId: string;
  readonly head?: number;
}

/** Stores the values in Redis or in this process' memory. Only `drop` rejects. */
export interface CacheStore {
  /** Null without Redis. @throws {KeySchemaError} `invalid_id` */
  keyOf(view: ViewName, channelId: string): RedisKey | null;
  /** The value with the channel's highest published seq. Without the seq it is a miss. */
  lookup(view: ViewName, channelId: string): Promise<Found>;
  /** Stores the value only if the highest published seq is the `head` of its load, in one atomic step. */
  fill(view: ViewName, channelId: string, raw: Raw, head: number): Promise<Filled>;
  /** Removes a corrupt value. */
  discard(view: ViewName, channelId: string): Promise<void>;
  /** Removes all views of the channels, with `forgetHeads` also their heads. @throws {CacheError} `unavailable` */
  drop(channels: readonly ChannelHead[], forgetHeads: boolean): Promise<void>;
  /** Call it when this process published or received an event that invalidates `views`. */
  onEvent(views: readonly ViewName[], channelId: string, seq: number | null): void;
}
