import type { Changes, ChatStore } from '@openclaw/chat-store';
import type { EncodedEnvelope } from '@openclaw/protocol';
import { LRUCache } from 'lru-cache';
import type { Rooms } from '../channels/rooms.ts';

/** Only heads of the most recently changed channels are kept, because a restore loses the newest events. */
const maxKnownHeads = 5_000;
const seedChannels = 1_000;
const channelsAtOnce = 500;
const comparedEvery = 25;

/**
 * Detects a restored backup that kept its epoch: a channel's log is shorter than before, or holds a different event
 * at a delivered seq.
 */
export function createRestoreCheck(
  store: Pick<ChatStore, 'heads' | 'recentHeads' | 'logPage'>,
  rooms: Pick<Rooms, 'channelIds' | 'get'>,
) {
  const knownHeads = new LRUCache<string, number>({ max: maxKnownHeads });
  let nextMark = 0;
  let checks = 0;
  let conflicting: EncodedEnvelope | null = null;

  /** Returns false when the store has already reported a higher head. */
  function record(channelId: string, head: number): boolean {
    if (head < (knownHeads.peek(channelId) ?? 0)) return false;
    knownHeads.set(channelId, head);
    return true;
  }

  /** True if the store reports a lower head of a channel than before, or a head below the newest seq delivered here. */
  async function isBehind(): Promise<boolean> {
    const least = new Map(knownHeads.entries());
    for (const channelId of rooms.channelIds()) {
      const head = rooms.get(channelId)?.head ?? 0;
      if (head > (least.get(channelId) ?? 0)) least.set(channelId, head);
    }
    const channelIds = [...least.keys()];
    for (let from = 0; from < channelIds.length; from += channelsAtOnce) {
      const batch = channelIds.slice(from, from + channelsAtOnce);
      const heads = await store.heads(batch);
      if (batch.some((channelId) => (heads.get(channelId) ?? 0) < (least.get(channelId) ?? 0))) {
        return true;
      }
    }
    return false;
  }

  async function isLost({ channelId, seq, id }: EncodedEnvelope): Promise<boolean> {
    if (channelId === null || seq === null) return false;
    const { events, floor } = await store.logPage(channelId, seq - 1, 1, 1);
    return seq >= floor && events[0]?.id !== id;
  }

  return {
    /** Call it when the hub starts and after each restore. */
    async begin() {
      const heads = await store.recentHeads(seedChannels);
      knownHeads.clear();
      nextMark = 0;
      conflicting = null;
      // The most recently changed channel is added last, so that it is remembered longest.
      for (const [channelId, head] of [...heads].reverse()) record(channelId, head);
    },
    /**
     * True if the changes or the heads show a restore. The heads are read after a failure or when the mark went back,
     * and otherwise only in every 25th call (10 s).
     */
    async isRestored(changes: Changes, hasFailed: boolean) {
      let isShorter = false;
      for (const { channelId, head } of changes.heads) {
        if (!record(channelId, head)) isShorter = true;
      }
      if (isShorter) return true;
      const event = conflicting;
      if (event?.epoch === changes.epoch && (await isLost(event))) return true;
      if (conflicting === event) conflicting = null;
      // PostgreSQL may repeat a mark after a crash, so a lower mark is only a reason to check heads.
      const isReason = hasFailed || changes.mark.next < nextMark;
      nextMark = changes.mark.next;
      checks += 1;
      return (isReason || checks % comparedEvery === 0) && (await isBehind());
    },
    /**
     * Call it when an event arrives that has the seq of `delivered` but differs from it. The next check asks the store
     * which of the two is right.
     */
    reportSeqConflict(delivered: EncodedEnvelope) {
      conflicting ??= delivered;
    },
  };
}
