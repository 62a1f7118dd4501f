export type FoundValue =
  { readonly state: 'hit'; readonly text: string } | { readonly state: 'miss' | 'away' };

/** `claimed`: this caller may load. `taken`: another process loads. */
export type Claim =
  | { readonly state: 'hit'; readonly text: string }
  | { readonly state: 'claimed' | 'taken' | 'away' };

/** Stores texts under names that `isNameId` accepts. Only `delete` rejects. */
export interface ValueStore {
  lookup(name: string): Promise<FoundValue>;
  /** Lets one caller load for at most `leaseMs`. `token` identifies that caller. */
  claim(name: string, token: string, leaseMs: number): Promise<Claim>;
  /** Stores the text if the caller's lease still runs, and ends the lease. Null stores nothing. */
  settle(name: string, token: string, text: string | null, ttlMs: number): Promise<StoredValue>;
  /**
   * Deletes the value, and the lease of a load in progress, so that this load stores nothing.
   * @throws {CacheError} `unavailable`
   */
  delete(name: string): Promise<void>;
}

/** `refused`: the lease ended during the load. */
export type StoredValue = 'stored' | 'refused' | 'away';
