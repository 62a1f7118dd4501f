import type { Raw } from './codec.ts';
import type { ViewName } from './views.ts';

/** The result of a lookup; `away` when Redis could not be asked. */
export type Found =
  | { readonly state: 'hit'; readonly raw: Raw; readonly head: number }
  | { readonly state: 'miss' | 'corrupt' | 'away' };

/** The result of a fill; `refused` when an event came since the load, or the channel's head was unknown. */
export type Filled = 'filled' | 'refused' | 'away';

/** A channel to drop. With a head, a reader that loaded before that event cannot fill the cache. */
export type DroppedChannel = string | { readonly channelId: string; readonly head: number };

/** Stores the values in Redis or in this process' memory. Only `drop` rejects. */
export interface CacheStore {
  /** The value together with the channel's highest published seq; without that seq it is a miss. */
  lookup(view: ViewName, channelId: string): Promise<Found>;
  /** Stores the value only if the highest published seq is the `head` of its load, in one atomic step. */
  fill(view: ViewName, channelId: string, raw: Raw, head: number): Promise<Filled>;
  /** Removes a corrupt value. */
  discard(view: ViewName, channelId: string): Promise<void>;
  /** Removes all views of the channels, with `forgetHeads` also their heads. @throws {CacheError} `unavailable` */
  drop(channels: readonly DroppedChannel[], forgetHeads: boolean): Promise<void>;
  /** This process published or received an event that invalidates `views`. */
  onEvent(views: readonly ViewName[], channelId: string, seq: number | null): void;
}
