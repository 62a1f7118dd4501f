import type { ChatStore } from '@openclaw/chat-store';
import type { KeySchema, LatestEvent } from '@openclaw/key-schema';
import type { EncodedEnvelope } from '@openclaw/protocol';
import type { RedisClient } from '@openclaw/redis-client';
import type { Logger } from 'pino';
import type { HubCache } from '../channels/hub-cache.ts';

const writeEveryMs = 100;
/** The most entries that are kept. Entries of stopped hubs count too. */
const maxRemembered = 32;
/**
 * After a restore, the caches and heads of this many channels are dropped from Redis, because they belong to the lost
 * log.
 */
const droppedChannels = 1_000;

/**
 * Remembers in Redis the newest event that each hub committed. A starting hub looks these events up in the log. If one
 * is missing, a backup was restored while no hub ran. The hub writes its own event to Redis only after this comparison.
 */
export function createLatestEvents(deps: {
  readonly hubId: string;
  readonly redis: RedisClient;
  readonly keys: Pick<KeySchema, 'latestEvents'>;
  readonly store: Pick<ChatStore, 'epoch' | 'heads' | 'recentHeads' | 'logPage' | 'changeEpoch'>;
  readonly cache: Pick<HubCache, 'drop'>;
  readonly log: Logger;
  readonly onRestored: () => void;
}) {
  const { hubId, redis, keys, store, cache, log } = deps;
  let latest: LatestEvent | null = null;
  let isCompared = false;
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let writtenMs = -Infinity;
  let isClosed = false;

  async function compareOnce(): Promise<void> {
    if (isCompared) return;
    const { epoch } = store;
    const key = keys.latestEvents();
    const remembered = entriesOf(await redis.send(['hgetall', key]));
    // An entry of another epoch is ignored: a restore followed its event, and the hubs have already changed the epoch.
    const current = remembered.filter(({ event }) => event.epoch === epoch);
    // Event ids begin with the event's time.
    current.sort((one, other) => (one.event.id < other.event.id ? 1 : -1));
    const kept = current.slice(0, maxRemembered);
    const lost = await findLost(kept.map(({ event }) => event));
    if (lost) {
      const changed = await store.changeEpoch(epoch);
      log.warn(
        { lost, epoch: changed },
        'the log lacks a committed event (a backup was restored): a new epoch begins',
      );
      // Caches would otherwise stay empty until the log has grown past the seqs in Redis.
      const recent = await store.recentHeads(droppedChannels);
      await cache.drop([...recent.keys()], { forgetHeads: true }).catch(() => undefined);
      deps.onRestored();
    }
    const outdated = remembered.filter((entry) => !kept.includes(entry)).map(({ of }) => of);
    if (outdated.length > 0) await redis.send(['hdel', key, ...outdated]);
    isCompared = true;
  }

  async function findLost(events: readonly LatestEvent[]): Promise<LatestEvent | null> {
    const heads = await store.heads([...new Set(events.map(({ channelId }) => channelId))]);
    for (const event of events) {
      const { channelId, seq, id } = event;
      if ((heads.get(channelId) ?? 0) < seq) return event;
      const [found] = (await store.logPage(channelId, seq - 1, 1, 1)).events;
      // An event that is missing here was trimmed or deleted with its channel, not lost by a restore.
      if (found?.seq === seq && found.id !== id) return event;
    }
    return null;
  }

  async function write(): Promise<void> {
    writtenMs = performance.now();
    await compareOnce();
    const writing = latest;
    if (!writing) return;
    await redis.send(['hset', keys.latestEvents(), hubId, JSON.stringify(writing)]);
    if (latest === writing) latest = null;
  }

  function run(): Promise<void> {
    return (running ??= write()
      .catch((error: unknown) => log.debug({ err: error }, 'the latest event was not remembered'))
      .finally(() => {
        running = undefined;
        if ((latest || !isCompared) && redis.available) schedule();
      }));
  }

  function schedule(): void {
    if (timer || isClosed) return;
    const waitMs = Math.max(0, writtenMs + writeEveryMs - performance.now());
    timer = setTimeout(() => {
      timer = undefined;
      if (redis.available) void run();
    }, waitMs);
    timer.unref();
  }

  const off = redis.onAvailability((isAvailable) => {
    if (isAvailable) void run();
  });

  return {
    /** Writes to Redis at most every 100 ms, and only the newest event. */
    record({ epoch, channelId, seq, id }: EncodedEnvelope) {
      if (channelId === null || seq === null) return;
      latest = { epoch, channelId, seq, id };
      schedule();
    },
    /**
     * Compares Redis with the log, and changes the epoch if the database was restored. Waits at most `waitMs` for
     * Redis. If Redis is available only later, the comparison runs at that time. Never rejects.
     */
    async compare(waitMs: number) {
      if (redis.available) return run();
      await new Promise<void>((resolve) => {
        const stop = redis.onAvailability((isAvailable) => isAvailable && end());
        const waiting = setTimeout(end, waitMs);
        function end(): void {
          stop();
          clearTimeout(waiting);
          resolve();
        }
      });
      await running;
    },
    async close() {
      isClosed = true;
      off();
      clearTimeout(timer);
      await running;
      if (latest && redis.available) await run();
    },
  };
}

export type LatestEvents = ReturnType<typeof createLatestEvents>;

interface Entry {
  readonly of: string;
  readonly event: LatestEvent;
}

function entriesOf(reply: unknown): Entry[] {
  const texts = Array.isArray(reply) ? (reply as unknown[]).map(String) : [];
  return texts.flatMap((of, i) => (i % 2 === 0 ? [{ of, event: parse(texts[i + 1] ?? '') }] : []));
}

/** A malformed value (of another release, or set by hand) counts as one of another epoch. */
function parse(text: string): LatestEvent {
  try {
    const { epoch, channelId, seq, id } = JSON.parse(text) as Record<string, unknown>;
    const isEvent = [epoch, channelId, id].every((value) => typeof value === 'string');
    if (isEvent && Number.isSafeInteger(seq)) return { epoch, channelId, seq, id } as LatestEvent;
  } catch {
    // The text is not JSON.
  }
  return { epoch: '', channelId: '', seq: 0, id: '' };
}
