import type { KeySchema, RedisKey } from '@openclaw/key-schema';
import {
  defineScript,
  type RedisClient,
  RedisClientError,
  type RedisCommand,
  type ScriptCall,
} from '@openclaw/redis-client';
import { CacheError } from './errors.ts';
import { dropLua, fillLua } from './lua.gen.ts';
import {
  type CacheStore,
  type ChannelHead,
  type Found,
  type ViewName,
  viewNames,
  viewTtlMs,
} from './store.ts';

const fillScript = defineScript('cache fill', fillLua);
const dropScript = defineScript('cache drop', dropLua);
// Bounds one pipeline, because a hub may drop thousands of channels after an outage.
const dropsPerPipeline = 1000;

function parseHead(reply: unknown): number | null {
  const head = typeof reply === 'string' ? Number(reply) : NaN;
  return Number.isSafeInteger(head) ? head : null;
}

export function createRedisStore(redis: RedisClient, keys: KeySchema): CacheStore {
  function keyOf(view: ViewName, channelId: string): RedisKey {
    if (view === 'recentMessages') return keys.recentMessages(channelId);
    return view === 'channel' ? keys.channel(channelId) : keys.channelMembers(channelId);
  }

  async function lookupString(key: RedisKey, seqKey: RedisKey): Promise<Found> {
    const [raw, seq] = (await redis.send(['MGET', key, seqKey])) as unknown[];
    const head = parseHead(seq);
    if (typeof raw !== 'string' || head === null) return { state: 'miss' };
    return { state: 'hit', raw: [raw], head };
  }

  async function lookupSet(key: RedisKey, seqKey: RedisKey): Promise<Found> {
    // The seq is read first. If an event comes between the two reads, the value is newer than its head, never older.
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

  function dropCall(
    { channelId, head }: ChannelHead,
    forgetHeads: boolean,
  ): RedisCommand | ScriptCall {
    const seqKey = keys.sequence(channelId);
    const cached = viewNames.map((view) => keyOf(view, channelId));
    if (forgetHeads) return ['DEL', ...cached, seqKey];
    if (head === undefined) return ['DEL', ...cached];
    return { script: dropScript, keys: [seqKey, ...cached], args: [head] };
  }

  return {
    keyOf,
    async lookup(view, channelId) {
      const key = keyOf(view, channelId);
      if (!redis.available) return { state: 'away' };
      try {
        const seqKey = keys.sequence(channelId);
        return await (view === 'members' ? lookupSet(key, seqKey) : lookupString(key, seqKey));
      } catch {
        return { state: 'away' };
      }
    },
    async fill(view, channelId, raw, head) {
      if (!redis.available) return 'away';
      const kind = view === 'members' ? 'set' : 'string';
      const otherViews = viewNames.filter((other) => other !== view);
      try {
        const reply = await redis.run({
          script: fillScript,
          keys: [
            keys.sequence(channelId),
            keyOf(view, channelId),
            ...otherViews.map((other) => keyOf(other, channelId)),
          ],
          args: [head, viewTtlMs[view], kind, ...raw],
        });
        return reply === 1 ? 'filled' : 'refused';
      } catch {
        return 'away';
      }
    },
    async discard(view, channelId) {
      // If the deletion fails, the next reader repeats it.
      await redis.send(['DEL', keyOf(view, channelId)]).catch(() => undefined);
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
    // The event bus deletes the keys when it publishes.
    onEvent: () => undefined,
  };
}
