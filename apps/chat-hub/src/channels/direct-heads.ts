import type { ChatStore, DirectChannel } from '@openclaw/chat-store';
import { limits } from '@openclaw/protocol';

interface AgentHeads {
  readonly epochGeneration: number;
  readonly heads: Map<string, number>;
  /** True while `heads` has every stored direct channel of the agent. */
  isComplete: boolean;
  /** The channels that a welcome names: at most `limits.welcomeDirect`, the newest last. */
  latest: Set<string>;
  loaded: Promise<void>;
}

const pageSize = 1_000;

/**
 * Keeps the heads of direct channels, because a welcome names only the newest channels. A session enters any other
 * direct channel when an event of it arrives for the first time after the welcome. The session then continues from the
 * kept head.
 */
export function createDirectHeads(
  deps: {
    readonly store: Pick<ChatStore, 'directChannels'>;
    /** This is `Rooms.epochGeneration`. Heads that were read before it changed are not valid. */
    readonly epochGeneration: () => number;
  },
  /** A head takes about 100 bytes. A channel whose head does not fit starts with a discontinuity. */
  maxHeads = 1_000_000,
) {
  const { store, epochGeneration } = deps;
  const agents = new Map<string, AgentHeads>();
  let size = 0;

  function raiseIn(list: AgentHeads, channelId: string, seq: number): void {
    const known = list.heads.get(channelId);
    if (known === undefined) {
      if (size >= maxHeads) {
        list.isComplete = false;
        return;
      }
      size += 1;
    }
    if (seq > (known ?? -1)) list.heads.set(channelId, seq);
  }

  function touch({ latest }: AgentHeads, channelId: string): void {
    latest.delete(channelId);
    latest.add(channelId);
    const [oldest] = latest;
    if (latest.size > limits.welcomeDirect && oldest !== undefined) latest.delete(oldest);
  }

  function forget(agentId: string): void {
    size -= agents.get(agentId)?.heads.size ?? 0;
    agents.delete(agentId);
  }

  async function read(agentId: string, list: AgentHeads): Promise<void> {
    let stored: readonly DirectChannel[] = [];
    for (let after = ''; ;) {
      const page = await store.directChannels(agentId, pageSize, after);
      if (agents.get(agentId) !== list) return;
      for (const { channelId, head } of page) {
        // Without a newer event, the activity in the store decides the channel's place in `latest`.
        if (head >= (list.heads.get(channelId) ?? 0)) list.latest.delete(channelId);
        raiseIn(list, channelId, head);
      }
      stored = latestOf([...stored, ...page]);
      const last = page.at(-1);
      if (!last || page.length < pageSize) break;
      after = last.channelId;
    }
    // These channels had events after their page was read.
    const newer = list.latest;
    list.latest = new Set();
    for (const { channelId } of stored.toReversed()) touch(list, channelId);
    for (const channelId of newer) touch(list, channelId);
  }

  return {
    /** Reads an agent's heads once. Call it before the welcome, so that no event after the welcome is skipped. */
    load(agentId: string) {
      const known = agents.get(agentId);
      if (known?.epochGeneration === epochGeneration()) return known.loaded;
      forget(agentId);
      const list: AgentHeads = {
        epochGeneration: epochGeneration(),
        heads: new Map(),
        isComplete: true,
        latest: new Set(),
        loaded: Promise.resolve(),
      };
      agents.set(agentId, list);
      list.loaded = read(agentId, list).catch((error: unknown) => {
        if (agents.get(agentId) === list) forget(agentId);
        throw error;
      });
      return list.loaded;
    },
    /** Returns 0 for a channel created since the list was read, and null if the head is unknown. */
    headOf(agentId: string, channelId: string): number | null {
      const list = agents.get(agentId);
      if (list?.epochGeneration !== epochGeneration()) return null;
      return list.heads.get(channelId) ?? (list.isComplete ? 0 : null);
    },
    /** Returns the channels that a welcome names, newest first. */
    latest: (agentId: string) => [...(agents.get(agentId)?.latest ?? [])].toReversed(),
    /** Call it for each event, after the agent's sessions have entered the channel. */
    raise(agentId: string, channelId: string, seq: number) {
      const list = agents.get(agentId);
      if (list?.epochGeneration !== epochGeneration()) return;
      // Some events arrive twice: from the bus, and then from the tail check.
      if (seq <= (list.heads.get(channelId) ?? 0)) return;
      raiseIn(list, channelId, seq);
      touch(list, channelId);
    },
    forget,
    get size() {
      return size;
    },
  };
}

export type DirectHeads = ReturnType<typeof createDirectHeads>;

export function latestOf(directs: readonly DirectChannel[]): readonly DirectChannel[] {
  return directs
    .toSorted((one, other) => other.activeAt - one.activeAt)
    .slice(0, limits.welcomeDirect);
}
