import type { KeySchema, RedisKey } from '@openclaw/key-schema';
import {
  defineScript,
  type RedisClient,
  RedisClientError,
  type RedisCommand,
  type ScriptCall,
} from '@openclaw/redis-client';
import type { Raw } from './codec.ts';
import { CacheError } from './errors.ts';
import { dropLua, fillLua } from './lua.gen.ts';
import type { CacheStore, DroppedChannel, Found } from './store.ts';
import { type ViewName, viewNames, viewTtlMs } from './views.ts';

const fillScript = defineScript('cache fill', fillLua);
const dropScript = defineScript('cache drop', dropLua);
// After an outage a hub drops thousands of channels.
const dropsPerPipeline = 1000;

/** The key of a view. @throws {KeySchemaError} `invalid_id` */
export function viewKey(keys: KeySchema, view: ViewName, channelId: string): RedisKey {
  if (view === 'recentMessages') return keys.recentMessages(channelId);
  return view === 'channel' ? keys.channel(channelId) : keys.channelMembers(channelId);
}

function parseHead(reply: unknown): number | null {
  const head = typeof reply === 'string' ? Number(reply) : NaN;
  return Number.isSafeInteger(head) ? head : null;
}

/** Values in Redis. */
export function createRedisStore(redis: RedisClient, keys: KeySchema): CacheStore {
  async function lookupString(key: RedisKey, seqKey: RedisKey): Promise<Found> {
    const [raw, seq] = (await redis.send(['MGET', key, seqKey])) as unknown[];
    const head = parseHead(seq);
    if (typeof raw !== 'string' || head === null) return { state: 'miss' };
    return { state: 'hit', raw: [raw], head };
  }

  async function lookupSet(key: RedisKey, seqKey: RedisKey): Promise<Found> {
    // The seq is read first: if an event comes between the two reads, the value is newer than its head, never older.
    const [seq, members] = await redis.pipeline([
      ['GET', seqKey],
      ['SMEMBERS', key],
    ]);
    if (members instanceof RedisClientError) {
      return { state: members.message.startsWith('WRONGTYPE') ? 'corrupt' : 'away' };
    }
    const head = parseHead(seq);
    const raw = members as string[];
    return raw.length === 0 || head === null ? { state: 'miss' } : { state: 'hit', raw, head };
  }

  function dropCall(channel: DroppedChannel, forgetHeads: boolean): RedisCommand | ScriptCall {
    const channelId = typeof channel === 'string' ? channel : channel.channelId;
    const seqKey = keys.sequence(channelId);
    const cached = viewNames.map((view) => viewKey(keys, view, channelId));
    if (forgetHeads) return ['DEL', ...cached, seqKey];
    if (typeof channel === 'string') return ['DEL', ...cached];
    return { script: dropScript, keys: [seqKey, ...cached], args: [channel.head] };
  }

  return {
    async lookup(view, channelId) {
      const key = viewKey(keys, view, channelId);
      if (!redis.available) return { state: 'away' };
      try {
        const seqKey = keys.sequence(channelId);
        return await (view === 'members' ? lookupSet(key, seqKey) : lookupString(key, seqKey));
      } catch {
        return { state: 'away' };
      }
    },
    async fill(view, channelId, raw: Raw, head) {
      if (!redis.available) return 'away';
      const kind = view === 'members' ? 'set' : 'string';
      try {
        const reply = await redis.run({
          script: fillScript,
          keys: [
            keys.sequence(channelId),
            viewKey(keys, view, channelId),
            ...viewNames
              .filter((other) => other !== view)
              .map((other) => viewKey(keys, other, channelId)),
          ],
          args: [head, viewTtlMs[view], kind, ...raw],
        });
        return reply === 1 ? 'filled' : 'refused';
      } catch {
        return 'away';
      }
    },
    async discard(view, channelId) {
      // If this fails, the next reader finds the corrupt value and tries again.
      await redis.send(['DEL', viewKey(keys, view, channelId)]).catch(() => undefined);
    },
    async drop(channels, forgetHeads) {
      const calls = channels.map((channel) => dropCall(channel, forgetHeads));
      for (let first = 0; first < calls.length; first += dropsPerPipeline) {
        const replies = await redis
          .pipeline(calls.slice(first, first + dropsPerPipeline))
          .catch((error: unknown) => [error]);
        const failed = replies.find((reply) => reply instanceof Error);
        if (failed) throw new CacheError('unavailable', 'Redis did not drop all channels', failed);
      }
    },
    // The event bus deletes the keys in the step that publishes the event.
    onEvent: () => undefined,
  };
}
