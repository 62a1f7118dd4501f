import type { ChatStore, DirectChannel } from '@openclaw/chat-store';
import { limits } from '@openclaw/protocol';

/**
 * The heads of the direct channels of agents that have more of them than a welcome names: a socket that has had no event
 * of such a channel begins after its head. One list per agent serves all its sockets; a channel gets a room with its first
 * event.
 */
export interface DirectHeads {
  /**
   * Reads the heads of all the agent's direct channels, page by page, unless they are known. Call it before the welcome is
   * sent: then no event that is committed after the welcome is skipped.
   */
  load(agentId: string): Promise<void>;
  /** The head as last known, 0 for a channel that is new since the list was read; null when it is not known. */
  headOf(agentId: string, channelId: string): number | null;
  /** The channels that were active last as far as is known here, the latest first; so many as a welcome names. */
  latest(agentId: string): string[];
  /** An event with this seq arrived, and all the agent's sockets follow the channel from here on. */
  raise(agentId: string, channelId: string, seq: number): void;
  /** The agent's last socket here is gone. */
  forget(agentId: string): void;
  /** Heads kept, of all agents. */
  readonly size: number;
}

export interface DirectHeadsDeps {
  readonly store: Pick<ChatStore, 'directChannels'>;
  /** How often the epoch changed: heads that were read before are of another log. */
  readonly restarts: () => number;
}

interface AgentHeads {
  readonly restarts: number;
  readonly heads: Map<string, number>;
  /** True while the list is complete: a channel that is not in it is new. */
  isWhole: boolean;
  /** The channels that were active last, the latest at the end; as many as a welcome names. */
  latest: Set<string>;
  loaded: Promise<void>;
}

const pageSize = 1_000;
/** About 100 bytes each. A channel without room for its head begins with a discontinuity. */
const maxHeadsDefault = 1_000_000;

/** Creates the lists of one hub. */
export function createDirectHeads(
  { store, restarts }: DirectHeadsDeps,
  maxHeads = maxHeadsDefault,
): DirectHeads {
  const agents = new Map<string, AgentHeads>();
  let size = 0;

  function raiseIn(list: AgentHeads, channelId: string, seq: number): void {
    const known = list.heads.get(channelId);
    if (known === undefined) {
      if (size >= maxHeads) {
        list.isWhole = false;
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
        // What was heard of it is no newer than the page, which says when it was active.
        if (head >= (list.heads.get(channelId) ?? 0)) list.latest.delete(channelId);
        raiseIn(list, channelId, head);
      }
      stored = latestOf([...stored, ...page]);
      const last = page.at(-1);
      if (!last || page.length < pageSize) break;
      after = last.channelId;
    }
    // What is still there was heard of after its page was read.
    const heard = list.latest;
    list.latest = new Set();
    for (const { channelId } of stored.toReversed()) touch(list, channelId);
    for (const channelId of heard) touch(list, channelId);
  }

  return {
    load(agentId) {
      const known = agents.get(agentId);
      if (known?.restarts === restarts()) return known.loaded;
      forget(agentId);
      const list: AgentHeads = {
        ...{ restarts: restarts(), heads: new Map(), isWhole: true, latest: new Set() },
        loaded: Promise.resolve(),
      };
      agents.set(agentId, list);
      list.loaded = read(agentId, list).catch((error: unknown) => {
        if (agents.get(agentId) === list) forget(agentId);
        throw error;
      });
      return list.loaded;
    },
    headOf(agentId, channelId) {
      const list = agents.get(agentId);
      if (list?.restarts !== restarts()) return null;
      return list.heads.get(channelId) ?? (list.isWhole ? 0 : null);
    },
    latest: (agentId) => [...(agents.get(agentId)?.latest ?? [])].toReversed(),
    raise(agentId, channelId, seq) {
      const list = agents.get(agentId);
      if (list?.restarts !== restarts()) return;
      // The tail check finds again what was heard of before.
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

/** The direct channels that were active last, the latest first; as many as a welcome names. */
export function latestOf(directs: readonly DirectChannel[]): readonly DirectChannel[] {
  return directs
    .toSorted((one, other) => other.activeAt - one.activeAt)
    .slice(0, limits.welcomeDirect);
}
