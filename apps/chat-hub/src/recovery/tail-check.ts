import type { Changes, ChatStore } from '@openclaw/chat-store';
import { isDirectChannelId, type EncodedEnvelope } from '@openclaw/protocol';
import type { Logger } from 'pino';
import type { Metrics } from '../observe/metrics.ts';
import { createRestoreCheck } from './restore-check.ts';
import type { Rooms } from '../channels/rooms.ts';

/** Other hubs must deliver the events of a hub without Redis within 500 ms. */
const everyMs = 400;
const everyMsWithoutBus = 200;

/**
 * Reads the commits of all hubs from the store, so that an event that the bus lost is found within half a second.
 * Costs one statement for up to some thousand commits.
 */
export async function startTailCheck(deps: {
  readonly store: ChatStore;
  readonly rooms: Rooms;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** False while only the store brings events of other hubs. */
  readonly isBusAvailable: () => boolean;
  readonly onRevoked: (revoked: Changes['revoked']) => void;
  /**
   * The check calls this for each direct channel with a new head. The channel's agents may be connected here although
   * this hub has no `Room` for it.
   */
  readonly onDirect: (channelId: string, head: number) => void;
  /** The check calls this with each page of commits. `hasEvents` is true when the page has new events. */
  readonly onChecked?: (hasEvents: boolean) => void;
  /** The version changes with every freeze and unfreeze. */
  readonly onFreezes: (version: string) => Promise<void>;
  readonly onEpoch: (epoch: string) => Promise<void>;
  readonly onFailed?: (error: unknown) => void;
}) {
  const { store, rooms, metrics, log } = deps;
  let { mark, epoch } = await store.changes(null);
  const restore = createRestoreCheck(store, rooms);
  await restore.begin();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let isDueAgain = false;
  let hasFailed = false;
  let isClosed = false;

  // Each page moves the mark, so a check that fails midway keeps its progress.
  async function check(): Promise<void> {
    while ((await checkPage()) && !isClosed);
  }

  async function checkPage(): Promise<boolean> {
    const changes = await store.changes(mark);
    metrics.storeHorizonLag.set(changes.transactionLag);
    let { epoch: current } = changes;
    if (current === epoch && (await restore.isRestored(changes, hasFailed))) {
      current = await store.changeEpoch(epoch);
    }
    // Epochs are compared before the heads are used, because the heads may belong to a new epoch.
    if (current !== epoch) {
      await restore.begin();
      await deps.onEpoch(current);
      epoch = current;
    }
    for (const { channelId, head } of changes.heads) {
      const room = rooms.get(channelId);
      if (isDirectChannelId(channelId)) deps.onDirect(channelId, head);
      if (!room || room.head >= head) continue;
      metrics.tailRepairs.inc();
      room.raise(head);
    }
    deps.onChecked?.(changes.heads.length > 0);
    if (changes.revoked.length > 0) deps.onRevoked(changes.revoked);
    await deps.onFreezes(changes.freezes);
    mark = changes.mark;
    hasFailed = false;
    return changes.hasMore;
  }

  function run(): void {
    clearTimeout(timer);
    if (isClosed) return;
    if (running) {
      isDueAgain = true;
      return;
    }
    running = check()
      .catch((error: unknown) => {
        hasFailed = true;
        metrics.tailFailures.inc();
        deps.onFailed?.(error);
        log.debug({ err: error }, 'the tail check failed and is repeated');
      })
      .finally(() => {
        running = undefined;
        if (isDueAgain) {
          isDueAgain = false;
          run();
        } else if (!isClosed) {
          timer = setTimeout(run, deps.isBusAvailable() ? everyMs : everyMsWithoutBus);
        }
      });
  }

  run();
  return {
    now: run,
    /**
     * Call it when a different event arrives with the seq of `delivered`. Starts a check at once, because the store
     * decides which of the two is right.
     */
    reportSeqConflict(delivered: EncodedEnvelope) {
      restore.reportSeqConflict(delivered);
      run();
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await running;
    },
  };
}

export type TailCheck = Awaited<ReturnType<typeof startTailCheck>>;
