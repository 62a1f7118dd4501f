/** The state of a value in the store; `away` when Redis did not answer. */
export type FoundValue =
  { readonly state: 'hit'; readonly text: string } | { readonly state: 'miss' | 'away' };

/** The result of a claim: the value, or the right to load it (`claimed`), or another process loads it (`taken`). */
export type Claim =
  | { readonly state: 'hit'; readonly text: string }
  | { readonly state: 'claimed' | 'taken' | 'away' };

/**
 * Stores texts under names, in Redis or in this process' memory. Only `delete` rejects. Each name is one that
 * `isNameId` accepts.
 */
export interface ValueStore {
  lookup(name: string): Promise<FoundValue>;
  /**
   * Gives one caller the right to load until that caller settles, for at most `leaseMs`. `token` identifies the caller.
   */
  claim(name: string, token: string, leaseMs: number): Promise<Claim>;
  /** Stores the text if the caller still has the right; null stores nothing. Ends the right. */
  settle(name: string, token: string, text: string | null, ttlMs: number): Promise<StoredValue>;
  /** Deletes the value and ends the right of a load in progress to fill it. @throws {CacheError} `unavailable` */
  delete(name: string): Promise<void>;
}

/** `refused` when the value was deleted during the load, or the load took longer than its right lasts. */
export type StoredValue = 'stored' | 'refused' | 'away';
