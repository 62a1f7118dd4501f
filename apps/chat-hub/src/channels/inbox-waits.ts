import type { ChatStore } from '@openclaw/chat-store';
import type { EventBus } from '@openclaw/events';
import type { ParamsOf, Refusal } from '@openclaw/protocol';
import type { Logger } from 'pino';
import type { Identity } from '../edge/identity.ts';
import { createCallWaits, type CallWait, type Waited } from './call-waits.ts';

const maxPerAgent = 4;
const agentsPerCheck = 200;
/**
 * A commit ends within this time. Until it ends, readers may already see items with higher numbers, but not the items
 * of the commit.
 */
const lateMs = 5_000;

const noneSeen = () => [{ atMs: -Infinity, newest: 0 }];

export interface InboxWait extends CallWait {
  readonly params: ParamsOf<'inbox.read'>;
}

interface Waiting {
  /** Null before the first check, so the first check always causes a read. */
  mark: string | null;
  readonly look: () => void;
}

/**
 * A waiting read looks into its inbox at its start, after a commit of this hub, after an event on the agent's topic,
 * and when a check of the store finds a changed mark. The checks find items whose events Redis has lost.
 */
export function createInboxWaits(deps: {
  readonly store: Pick<ChatStore, 'read' | 'inboxMarks'>;
  readonly bus: Pick<EventBus, 'subscribeAgent'>;
  readonly isRevoked: (identity: Identity) => boolean;
  readonly onFailed: (error: unknown) => Refusal;
  readonly log: Pick<Logger, 'debug'>;
  /**
   * The hub calls this when an agent begins to wait for its own inbox, and calls the returned function when the agent
   * stops.
   */
  readonly onWaiting?: (agentId: string) => () => void;
  readonly perAgent?: number;
  readonly perHub?: number;
}) {
  const { store, bus, log } = deps;
  const waits = createCallWaits({ perAgent: maxPerAgent, ...deps });
  const byAgent = new Map<string, Set<Waiting>>();
  /**
   * Each check adds an entry: its time, and the place of the newest message to everyone. Of the entries that are older
   * than `lateMs`, only the latest is kept.
   */
  let newestOfAll = noneSeen();
  let checking: Promise<void> | undefined;
  /** True if the log has new events, the last check failed, or a backup was restored. */
  let isDue = false;

  function look(agentId: string): void {
    for (const waiting of byAgent.get(agentId) ?? []) waiting.look();
  }

  async function hasItem({ identity, params }: InboxWait): Promise<boolean> {
    const first = { ...params, limit: 1, maxChars: null };
    const found = await store.read(identity, 'inbox.read', first);
    // A refusal ends the wait too. The read after the wait then returns the refusal.
    return !found.ok || found.result.items.length > 0;
  }

  async function waitForItem(wait: InboxWait, ended: Promise<Waited>): Promise<Waited> {
    const agentId = wait.params.agentId ?? wait.identity.agentId;
    let isDue = true;
    let wake = (): void => undefined;
    const waiting: Waiting = {
      mark: null,
      look() {
        isDue = true;
        wake();
      },
    };
    const ofAgent = byAgent.get(agentId) ?? new Set();
    byAgent.set(agentId, ofAgent.add(waiting));
    // If the subscription fails, the checks of the store still end the wait.
    const subscription = bus.subscribeAgent(agentId, ({ seq }) => {
      if (seq !== null) waiting.look();
    });
    subscription.catch((error: unknown) => log.debug({ err: error }, 'an inbox has no topic'));
    const stop = wait.params.agentId === null ? deps.onWaiting?.(agentId) : undefined;
    let reason: Waited | null = null;
    const end = ended.then((given) => {
      reason = given;
      wake();
    });
    try {
      while (reason === null) {
        if (isDue) {
          isDue = false;
          if (await hasItem(wait)) return 'read';
          continue;
        }
        await new Promise<void>((resolve) => (wake = resolve));
      }
      await end;
      return reason;
    } finally {
      stop?.();
      ofAgent.delete(waiting);
      if (ofAgent.size === 0) byAgent.delete(agentId);
      // The bus reports a failed unsubscription itself.
      subscription.then((unsubscribe) => unsubscribe()).catch(() => undefined);
    }
  }

  async function check(): Promise<void> {
    const agentIds = [...byAgent.keys()];
    const known = newestOfAll;
    const atMs = performance.now();
    while ((known[1]?.atMs ?? Infinity) <= atMs - lateMs) known.shift();
    const since = known[0]?.newest ?? 0;
    let newest = known.at(-1)?.newest ?? 0;
    for (let at = 0; at < agentIds.length; at += agentsPerCheck) {
      const some = agentIds.slice(at, at + agentsPerCheck);
      const found = await store.inboxMarks(some, since);
      newest = Math.max(newest, found.newestOfAll);
      for (const agentId of some) {
        const mark = found.marks.get(agentId) ?? null;
        for (const waiting of byAgent.get(agentId) ?? []) {
          if (waiting.mark === mark) continue;
          waiting.mark = mark;
          waiting.look();
        }
      }
    }
    // If a backup was restored during this check, `newestOfAll` is now another list. That list must not get this old
    // place.
    known.push({ atMs, newest });
  }

  function checkIfDue(): void {
    if (!isDue || checking || byAgent.size === 0) return;
    isDue = false;
    checking = check()
      .catch((error: unknown) => {
        isDue = true;
        log.debug({ err: error }, 'the inboxes were not compared');
      })
      .finally(() => (checking = undefined));
  }

  return {
    ...waits,
    get size() {
      return waits.size;
    },
    isWaiting: (agentId: string) => byAgent.has(agentId),
    run: (wait: InboxWait, respond: (waited: Waited) => Promise<void>) =>
      waits.run(wait, (ended) => waitForItem(wait, ended), respond),
    committed: (agentIds: readonly string[]) => agentIds.forEach(look),
    /**
     * Call it a few times a second. If the log has new events, the hub compares the marks of the waiting agents'
     * inboxes, and reads each inbox whose mark has changed.
     */
    checked(hasChanged: boolean): void {
      isDue ||= hasChanged;
      checkIfDue();
    },
    /**
     * Call it when a backup was restored. New items may then have lower places than earlier ones, and acknowledged
     * items may be back.
     */
    restored(): void {
      newestOfAll = noneSeen();
      isDue = true;
    },
  };
}

export type InboxWaits = ReturnType<typeof createInboxWaits>;
