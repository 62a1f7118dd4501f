import type { Raw } from './codec.ts';
import type { ViewName } from './views.ts';

/** What a lookup found. `away`: nobody could be asked. */
export type Found =
  | { readonly state: 'hit'; readonly raw: Raw; readonly head: number }
  | { readonly state: 'miss' | 'corrupt' | 'away' };

/** What became of a fill. `refused`: the channel moved on since the load, or its head was not known until now. */
export type Filled = 'filled' | 'refused' | 'away';

/** Channels to drop; with the head that the caller knows, no reader that loaded before it can fill again. */
export type Dropped = string | { readonly channelId: string; readonly head: number };

/** Where values are kept: Redis, or this process' memory. Nothing here rejects but `drop`. */
export interface CacheStore {
  /** The value and the channel's highest published seq, together: a value without that seq is a miss. */
  lookup(view: ViewName, channelId: string): Promise<Found>;
  /** Keeps the value only if the highest published seq is the `head` that its load saw. One atomic step. */
  fill(view: ViewName, channelId: string, raw: Raw, head: number): Promise<Filled>;
  /** Removes a corrupt value. */
  discard(view: ViewName, channelId: string): Promise<void>;
  /** Removes all views of the channels; with `forgetHeads` their heads too. @throws {CacheError} `unavailable` */
  drop(channels: readonly Dropped[], forgetHeads: boolean): Promise<void>;
  /** An event happened, here or elsewhere. */
  noticed(views: readonly ViewName[], channelId: string, seq: number | null): void;
}
