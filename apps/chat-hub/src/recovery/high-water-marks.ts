/** What the store has said of its channels' heads, to notice when it says less: then it was restored from a backup. */
export interface KnownHeads {
  /** Takes what the store says now. False when it has said more before. */
  saw(channelId: string, head: number): boolean;
  /** What is known; the newest last. */
  entries(): IterableIterator<[channelId: string, head: number]>;
  clear(): void;
}

/**
 * Remembers `maxChannels` channels, those that changed last: a restore loses the newest, so it is they that tell.
 */
export function createKnownHeads(maxChannels: number): KnownHeads {
  const heads = new Map<string, number>();
  return {
    saw(channelId, head) {
      const known = heads.get(channelId) ?? 0;
      if (head < known) return false;
      heads.delete(channelId);
      heads.set(channelId, head);
      const [oldest] = heads.keys();
      if (heads.size > maxChannels && oldest !== undefined) heads.delete(oldest);
      return true;
    },
    entries: () => heads.entries(),
    clear: () => heads.clear(),
  };
}
