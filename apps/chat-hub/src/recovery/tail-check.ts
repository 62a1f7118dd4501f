import type { Changes, ChatStore } from '@openclaw/chat-store';
import { isDirectChannelId, type EncodedEnvelope } from '@openclaw/protocol';
import type { Logger } from 'pino';
import type { Metrics } from '../observe/metrics.ts';
import { createRestoreCheck } from './restore-check.ts';
import type { Rooms } from '../channels/rooms.ts';

/** Asks the store what has been committed anywhere, so that what the bus lost is found within half a second. */
export interface TailCheck {
  /** Checks at once, for instance after the bus was reconnected. */
  now(): void;
  /** Another event came with the seq of this one, which was delivered: the store is asked which it holds. */
  doubt(delivered: EncodedEnvelope): void;
  close(): Promise<void>;
}

export interface TailCheckDeps {
  readonly store: ChatStore;
  readonly rooms: Rooms;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** False while events of other hubs come by the store alone. */
  readonly isBusAvailable: () => boolean;
  readonly onRevoked: (revoked: Changes['revoked']) => void;
  /** A direct channel has a new head: sockets here that follow it may have no room of it yet. */
  readonly onDirect: (channelId: string, head: number) => void;
  /** The database has another epoch. */
  readonly onEpoch: (epoch: string) => Promise<void>;
}

/** Below the 500 ms in which a hub that Redis serves must hear one that is cut off from it, and knows nothing of that. */
const everyMs = 400;
const everyMsWithoutBus = 200;

/** Starts checking. A check costs by what changed: one statement for some thousand commits. */
export async function startTailCheck(deps: TailCheckDeps): Promise<TailCheck> {
  const { store, rooms, metrics, log } = deps;
  let { mark, epoch } = await store.changes(null);
  const restore = createRestoreCheck(store, rooms);
  await restore.begin();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let isAskedAgain = false;
  let hasFailed = false;
  let isClosed = false;

  // Each statement reads a bounded number of commits and moves the mark, so a check that fails midway is not lost.
  async function check(): Promise<void> {
    while ((await checkPage()) && !isClosed);
  }

  /** Answers whether more has been committed already. */
  async function checkPage(): Promise<boolean> {
    const changes = await store.changes(mark);
    metrics.storeHorizonLag.set(changes.horizonLag);
    let { epoch: current } = changes;
    if (current === epoch && (await restore.isRestored(changes, hasFailed))) {
      current = await store.changeEpoch(epoch);
    }
    // Before the heads: they are of the new epoch.
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
    if (changes.revoked.length > 0) deps.onRevoked(changes.revoked);
    mark = changes.mark;
    hasFailed = false;
    return changes.hasMore;
  }

  function run(): void {
    clearTimeout(timer);
    if (isClosed) return;
    if (running) {
      isAskedAgain = true;
      return;
    }
    running = check()
      .catch((error: unknown) => {
        hasFailed = true;
        metrics.tailFailures.inc();
        log.debug({ err: error }, 'the tail check failed; it is tried again');
      })
      .finally(() => {
        running = undefined;
        if (isAskedAgain) {
          isAskedAgain = false;
          run();
        } else if (!isClosed) {
          timer = setTimeout(run, deps.isBusAvailable() ? everyMs : everyMsWithoutBus);
        }
      });
  }

  run();
  return {
    now: run,
    doubt(delivered) {
      restore.doubt(delivered);
      run();
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await running;
    },
  };
}
