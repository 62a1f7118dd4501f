import { type RedisKey, ttlMs } from '@openclaw/key-schema';
import type { Raw } from './codec.ts';

export const viewNames = ['recentMessages', 'channel', 'members'] as const;
export type ViewName = (typeof viewNames)[number];

export const viewTtlMs: Readonly<Record<ViewName, number>> = {
  recentMessages: ttlMs.recentMessages,
  channel: ttlMs.channel,
  members: ttlMs.channelMembers,
};

export type Found =
  | { readonly state: 'hit'; readonly raw: Raw; readonly head: number }
  | { readonly state: 'miss' | 'corrupt' | 'away' };

/** `refused`: an event arrived after the load, or the channel's head is unknown. */
export type Filled = 'filled' | 'refused' | 'away';

export interface ChannelHead {
  readonly channelId: string;
  readonly head?: number;
}

/** Only `drop` rejects. */
export interface CacheStore {
  /**
   * Null without Redis.
   * @throws {KeySchemaError} `invalid_id`
   */
  keyOf(view: ViewName, channelId: string): RedisKey | null;
  /** Also returns the channel's highest published seq. Without that seq, the lookup is a miss. */
  lookup(view: ViewName, channelId: string): Promise<Found>;
  /** Stores the value only if `head` is still the highest published seq. Atomic. */
  fill(view: ViewName, channelId: string, raw: Raw, head: number): Promise<Filled>;
  discard(view: ViewName, channelId: string): Promise<void>;
  /** Removes all views of the channels, with `forgetHeads` also their heads. @throws {CacheError} `unavailable` */
  drop(channels: readonly ChannelHead[], forgetHeads: boolean): Promise<void>;
  onEvent(views: readonly ViewName[], channelId: string, seq: number | null): void;
}
