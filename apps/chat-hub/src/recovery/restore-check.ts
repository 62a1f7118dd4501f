import type { Changes, ChatStore } from '@openclaw/chat-store';
import type { EncodedEnvelope } from '@openclaw/protocol';
import { createKnownHeads } from './high-water-marks.ts';
import type { Rooms } from '../channels/rooms.ts';

/**
 * Notices that the database was restored from a backup without anybody having said so. What is committed stays: a
 * channel whose log is shorter than it was, or holds another event where one was delivered, is of another life.
 */
export interface RestoreCheck {
  /** Takes what the store says it knows, when the hub starts and after each restore. */
  begin(): Promise<void>;
  /**
   * Whether these changes, or the heads of the channels known here, show another life than the one before. The heads are
   * asked for when there is a reason, and with every 25th check (10 s) without one.
   */
  isRestored(changes: Changes, hasFailed: boolean): Promise<boolean>;
  /** This was delivered, and another event came with its seq: the store is asked which it holds. */
  doubt(delivered: EncodedEnvelope): void;
}

const maxKnown = 5_000;
const seedChannels = 1_000;
const channelsAtOnce = 500;
const comparedEvery = 25;

/** Creates the check of one hub. */
export function createRestoreCheck(
  store: Pick<ChatStore, 'heads' | 'recentHeads' | 'logPage'>,
  rooms: Pick<Rooms, 'channelIds' | 'get'>,
): RestoreCheck {
  const known = createKnownHeads(maxKnown);
  let nextMark = 0;
  let checks = 0;
  let doubted: EncodedEnvelope | null = null;

  /** Whether the store's head of any channel is below what it has said, or what was delivered here before it was asked. */
  async function isBehind(): Promise<boolean> {
    const least = new Map(known.entries());
    for (const channelId of rooms.channelIds()) {
      const head = rooms.get(channelId)?.head ?? 0;
      if (head > (least.get(channelId) ?? 0)) least.set(channelId, head);
    }
    const channelIds = [...least.keys()];
    for (let from = 0; from < channelIds.length; from += channelsAtOnce) {
      const asked = channelIds.slice(from, from + channelsAtOnce);
      const heads = await store.heads(asked);
      if (asked.some((channelId) => (heads.get(channelId) ?? 0) < (least.get(channelId) ?? 0))) {
        return true;
      }
    }
    return false;
  }

  async function isAnother({ channelId, seq, id }: EncodedEnvelope): Promise<boolean> {
    if (channelId === null || seq === null) return false;
    const { events } = await store.logPage(channelId, seq - 1, 1, 1);
    return events[0]?.id !== id;
  }

  return {
    async begin() {
      const heads = await store.recentHeads(seedChannels);
      known.clear();
      nextMark = 0;
      doubted = null;
      // The newest is remembered longest.
      for (const [channelId, head] of [...heads].reverse()) known.saw(channelId, head);
    },
    async isRestored(changes, hasFailed) {
      let isShorter = false;
      for (const { channelId, head } of changes.heads) {
        if (!known.saw(channelId, head)) isShorter = true;
      }
      if (isShorter) return true;
      const doubt = doubted;
      if (doubt?.epoch === changes.epoch && (await isAnother(doubt))) return true;
      if (doubted === doubt) doubted = null;
      // Marks only rise, but PostgreSQL may give one again after a crash: a reason to look, and no proof.
      const isReason = hasFailed || changes.mark.next < nextMark;
      nextMark = changes.mark.next;
      checks += 1;
      return (isReason || checks % comparedEvery === 0) && (await isBehind());
    },
    doubt(delivered) {
      doubted ??= delivered;
    },
  };
}
