import type { ChatStore } from '@openclaw/chat-store';
import type { Logger } from 'pino';
import type { Metrics } from '../metrics.ts';
import type { Rooms } from './rooms.ts';

/** Asks the store what has been committed anywhere, so that what the bus lost is found within a second. */
export interface TailCheck {
  /** Checks at once, for instance after the bus was reconnected. */
  now(): void;
  close(): Promise<void>;
}

export interface TailCheckDeps {
  readonly store: ChatStore;
  readonly rooms: Rooms;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** False while events of other hubs come by the store alone. */
  readonly isBusAvailable: () => boolean;
  readonly onRevoked: (revoked: Awaited<ReturnType<ChatStore['changes']>>['revoked']) => void;
  readonly onEpoch: (epoch: string) => void;
}

const everyMs = 1_000;
const everyMsWithoutBus = 200;

/** Starts checking. Every check is one query whose cost follows from what changed. */
export async function startTailCheck(deps: TailCheckDeps): Promise<TailCheck> {
  const { store, rooms, metrics, log } = deps;
  let { mark, epoch } = await store.changes(null);
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let isAskedAgain = false;
  let isClosed = false;

  async function check(): Promise<void> {
    const changes = await store.changes(mark);
    mark = changes.mark;
    for (const { channelId, head } of changes.heads) {
      const room = rooms.get(channelId);
      if (!room || room.head >= head) continue;
      metrics.tailRepairs.inc();
      room.raise(head);
    }
    if (changes.revoked.length > 0) deps.onRevoked(changes.revoked);
    if (changes.epoch !== epoch) {
      epoch = changes.epoch;
      deps.onEpoch(epoch);
    }
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
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await running;
    },
  };
}
