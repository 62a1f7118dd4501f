import type { RedisKey, TopicName } from '@openclaw/key-schema';
import {
  defineScript,
  isDenied,
  type RedisClient,
  RedisClientError,
  type RedisCommand,
  type ScriptCall,
} from '@openclaw/redis-client';
import { EventsError } from './errors.ts';
import { publishLua } from './lua.gen.ts';

export const publishScript = defineScript('publish', publishLua);

/** On Cluster, all keys and topics of an event must belong to one channel. */
export interface ScriptedEvent {
  readonly channelId: string;
  readonly json: string;
  readonly seq: number | null;
  readonly seqKey: RedisKey;
  readonly invalidates: readonly RedisKey[];
  readonly invalidatesOnGap: readonly RedisKey[];
  readonly topics: readonly TopicName[];
}

export interface Publishing {
  readonly commands: readonly RedisCommand[];
  readonly event: ScriptedEvent | null;
  readonly characters: number;
}

interface Entry extends Publishing {
  readonly resolve: () => void;
  readonly reject: (error: EventsError) => void;
}

interface Group {
  readonly entries: Entry[];
  /** The characters that Redis publishes. An event counts once for each of its topics. */
  published: number;
}

/** A call of the script blocks Redis for about ten microseconds per event. */
const maxEventsPerCall = 64;
const maxCharactersPerCall = 262_144;

/**
 * Sends all publishes of a tick in one round trip, in few script calls. On Cluster (`sharded`), a script call has the
 * events of only one channel. Beyond the limits, a publish is refused at once, so that a slow Redis does not fill the
 * memory.
 */
export function createPublishQueue(
  redis: Pick<RedisClient, 'pipeline'>,
  {
    maxPending,
    maxPendingCharacters,
    sharded,
  }: { maxPending: number; maxPendingCharacters: number; sharded: boolean },
) {
  let batch: Entry[] = [];
  let pending = 0;
  let pendingCharacters = 0;
  const inFlight = new Set<Promise<void>>();

  function flush(): void {
    if (batch.length === 0) return;
    const sent = send().finally(() => inFlight.delete(sent));
    inFlight.add(sent);
  }

  async function send(): Promise<void> {
    const entries = batch;
    batch = [];
    const { calls, ownersOf } = callsOf(entries, sharded);
    const failures = new Map<Entry, unknown>();
    const alone: Entry[] = [];
    try {
      const replies = await redis.pipeline(calls);
      replies.forEach((reply, index) => {
        if (!(reply instanceof RedisClientError)) return;
        const owners = ownersOf[index] ?? [];
        // One channel's damaged key may have failed the whole call, so each event is published again alone.
        if (owners.length > 1 && reply.code === 'rejected' && !isDenied(reply))
          alone.push(...owners);
        else for (const entry of owners) failures.set(entry, reply);
      });
      if (alone.length > 0) {
        const again = await redis.pipeline(alone.map((entry) => scriptCall([entry], sharded)));
        again.forEach((reply, index) => {
          const entry = alone[index];
          if (entry && reply instanceof RedisClientError) failures.set(entry, reply);
        });
      }
    } catch (error) {
      for (const entry of alone.length > 0 ? alone : entries) failures.set(entry, error);
    }
    for (const entry of entries) {
      pending -= 1;
      pendingCharacters -= entry.characters;
      if (failures.has(entry)) {
        const cause = failures.get(entry);
        entry.reject(new EventsError('unavailable', 'Redis did not take the event', cause));
      } else {
        entry.resolve();
      }
    }
  }

  return {
    get pending() {
      return pending;
    },
    /** @throws {EventsError} `unavailable` */
    push(publishing: Publishing): Promise<void> {
      const { characters } = publishing;
      if (pending >= maxPending || pendingCharacters + characters > maxPendingCharacters) {
        const message = `${pending} publishes wait for Redis already`;
        return Promise.reject(new EventsError('unavailable', message));
      }
      pending += 1;
      pendingCharacters += characters;
      // If this runs in a promise callback, nextTick waits until all pending promise callbacks have run. What they
      // publish joins this round trip.
      if (batch.length === 0) process.nextTick(flush);
      return new Promise((resolve, reject) => {
        batch.push({ ...publishing, resolve, reject });
      });
    },
    async idle(): Promise<void> {
      flush();
      await Promise.all(inFlight);
    },
  };
}

function callsOf(entries: readonly Entry[], sharded: boolean) {
  const calls: (RedisCommand | ScriptCall)[] = [];
  const ownersOf: (readonly Entry[])[] = [];
  const open = new Map<string, Group>();
  const closeAll = () => {
    for (const group of open.values()) {
      calls.push(scriptCall(group.entries, sharded));
      ownersOf.push(group.entries);
    }
    open.clear();
  };
  for (const entry of entries) {
    const { event } = entry;
    // A publish that needs no script call is sent after the script calls of all earlier publishes.
    if (!event) closeAll();
    for (const command of entry.commands) {
      calls.push(command);
      ownersOf.push([entry]);
    }
    if (!event) continue;
    const slot = sharded ? event.channelId : '';
    const published = event.json.length * Math.max(1, event.topics.length);
    const group = open.get(slot);
    const isFull =
      group !== undefined &&
      (group.entries.length === maxEventsPerCall ||
        group.published + published > maxCharactersPerCall);
    if (isFull) closeAll();
    if (group && !isFull) {
      group.entries.push(entry);
      group.published += published;
    } else {
      open.set(slot, { entries: [entry], published });
    }
  }
  closeAll();
  return { calls, ownersOf };
}

function scriptCall(entries: readonly Entry[], sharded: boolean): ScriptCall {
  const keys: (RedisKey | TopicName)[] = [];
  const args: (string | number)[] = [sharded ? 'spublish' : 'publish'];
  for (const { event } of entries) {
    if (!event) continue;
    const { json, seq, invalidates, invalidatesOnGap, topics } = event;
    keys.push(event.seqKey, ...invalidates, ...invalidatesOnGap, ...topics);
    args.push(json, seq ?? '', invalidates.length, invalidatesOnGap.length, topics.length);
  }
  return { script: publishScript, keys, args };
}
