import type { ChatStore } from '@openclaw/chat-store';
import type { KeySchema, LatestEvent } from '@openclaw/key-schema';
import type { EncodedEnvelope } from '@openclaw/protocol';
import type { RedisClient } from '@openclaw/redis-client';
import type { Logger } from 'pino';
import type { HubCache } from '../channels/hub-cache.ts';

/**
 * The newest events that the hubs committed, remembered in Redis. A starting hub looks for them in the log: committed
 * events stay, so a log that lacks one is that of a backup, which was restored while no hub was running to notice it.
 */
export interface LatestEvents {
  /** An event was committed here. Redis is written at most every 100 ms, with the newest one alone. */
  committed(event: EncodedEnvelope): void;
  /**
   * Compares Redis with the log, and changes the epoch if the database was restored. Resolves when that is done, or after
   * `waitMs` without Redis: then the comparison follows as soon as Redis is available. Never rejects.
   */
  compare(waitMs: number): Promise<void>;
  close(): Promise<void>;
}

export interface LatestEventsDeps {
  readonly hubId: string;
  readonly redis: RedisClient;
  readonly keys: Pick<KeySchema, 'latestEvents'>;
  readonly store: Pick<ChatStore, 'epoch' | 'heads' | 'recentHeads' | 'logPage' | 'changeEpoch'>;
  readonly cache: Pick<HubCache, 'drop'>;
  readonly log: Logger;
  /** Called after the epoch was changed. */
  readonly onRestored: () => void;
}

const writeEveryMs = 100;
/** Entries kept in Redis, of hubs that are gone and of running ones. */
const maxRemembered = 32;
/** Channels whose caches and heads in Redis are dropped after a restore: they are of the lost log. */
const droppedChannels = 1_000;

/** Creates the memory of one hub. Nothing is written before Redis was compared once. */
export function createLatestEvents(deps: LatestEventsDeps): LatestEvents {
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
    // Entries of another epoch prove nothing: that change was noticed already.
    const current = remembered.filter(({ event }) => event.epoch === epoch);
    // Ids begin with their time.
    current.sort((one, other) => (one.event.id < other.event.id ? 1 : -1));
    const kept = current.slice(0, maxRemembered);
    const lost = await findLost(kept.map(({ event }) => event));
    if (lost) {
      const changed = await store.changeEpoch(epoch);
      log.warn(
        { lost, epoch: changed },
        'the log lacks a committed event: the database was restored, and a new epoch begins',
      );
      // Otherwise caches stay empty until the log has grown past the seqs that Redis knows.
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
      // An event that was trimmed, or swept with its channel, was not lost by a restore.
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

  /** Compares or writes if due; what fails stays due. */
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
    committed({ epoch, channelId, seq, id }) {
      if (channelId === null || seq === null) return;
      latest = { epoch, channelId, seq, id };
      schedule();
    },
    async compare(waitMs) {
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
      // The listener above has started it.
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

interface Entry {
  /** The hub that committed the event. */
  readonly of: string;
  readonly event: LatestEvent;
}

/** Parses a hash as Redis answers it: fields and values alternate. */
function entriesOf(reply: unknown): Entry[] {
  const texts = Array.isArray(reply) ? (reply as unknown[]).map(String) : [];
  const entries: Entry[] = [];
  for (let i = 0; i + 1 < texts.length; i += 2) {
    entries.push({ of: texts[i] ?? '', event: parse(texts[i + 1] ?? '') });
  }
  return entries;
}

/** A malformed value, by another release or by hand, counts as of another epoch. */
function parse(text: string): LatestEvent {
  try {
    const { epoch, channelId, seq, id } = JSON.parse(text) as Record<string, unknown>;
    const isEvent = [epoch, channelId, id].every((value) => typeof value === 'string');
    if (isEvent && Number.isSafeInteger(seq)) return { epoch, channelId, seq, id } as LatestEvent;
  } catch {
    // Falls through to the one that proves nothing.
  }
  return { epoch: '', channelId: '', seq: 0, id: '' };
}
