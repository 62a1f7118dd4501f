import {
  createChatStore,
  type AppendedEvent,
  type ChatStore,
  type Outcome,
  type WriteMethod,
} from '@openclaw/chat-store';
import { createRedisEventBus, type EventBus } from '@openclaw/events';
import { createKeySchema } from '@openclaw/key-schema';
import { methods } from '@openclaw/protocol';
import { createRedisClient, parseRedisEnvironment } from '@openclaw/redis-client';
import { waitFor } from '@openclaw/test-support';
import type { TestDatabase } from './test-hub.ts';

/** Writes to the log like another hub, but publishes only the events that the test names. */
export interface LogWriter extends AsyncDisposable {
  readonly store: ChatStore;
  /** Parses the params as the hub parses those of a call. Throws when the change is refused. */
  append<M extends WriteMethod>(
    agentId: string,
    method: M,
    params: object,
  ): Promise<Extract<Outcome<M>, { ok: true }>>;
  /** Publishes on the agents' topics, and on the channel's topic unless the channel is direct. */
  publish(...events: readonly AppendedEvent[]): Promise<void>;
  close(): Promise<void>;
}

/** Without `redisUrl`, `publish` rejects. */
export async function openLogWriter(
  database: Pick<TestDatabase, 'url'>,
  redisUrl?: string,
): Promise<LogWriter> {
  const store = await createChatStore({ url: database.url });
  const connection = redisUrl === undefined ? null : parseRedisEnvironment({ REDIS_URL: redisUrl });
  const redis = connection && createRedisClient(connection);
  const bus: EventBus | null = redis && createRedisEventBus({ redis, keys: createKeySchema() });
  await waitFor(() => bus?.available ?? true, { what: 'Redis for the writer' });
  return {
    store,
    async append(agentId, method, params) {
      const checked = methods[method].params.parse(params);
      const actor = { agentId, isAdmin: false };
      const outcome = await store.append(actor, method, checked as never);
      if (!outcome.ok) throw new Error(`${method} was refused: ${outcome.code}`);
      return outcome;
    },
    async publish(...events) {
      if (!bus || events.length === 0) throw new Error('there is nothing to publish, or no Redis');
      for (const { event, agentTopics: agents } of events) {
        await bus.publish(event, { channel: !event.channelId?.startsWith('dm_'), agents });
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  };

  async function close(): Promise<void> {
    await bus?.close();
    await redis?.close();
    await store.close();
  }
}
