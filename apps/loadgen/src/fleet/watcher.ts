import { createClient, type HubClient } from '@openclaw/client';
import { LoadgenError } from '../errors.ts';
import { createSocketFactory } from './lean-socket.ts';
import { urlOf, watcherIdOf, type Identity, type Plan } from '../plan/plan.ts';
import { signInOf } from './tokens.ts';

export interface Watcher {
  readonly isLive: boolean;
  createChannels(): Promise<void>;
  subscribe(): Promise<void>;
  heads(): Promise<Record<string, number>>;
  deleteChannels(): Promise<void>;
  close(): Promise<void>;
}

/** Connects to the first hub, without retries. @throws {LoadgenError} */
export async function connectWatcher(plan: Plan, identity: Identity): Promise<Watcher> {
  const url = urlOf(plan, 0);
  const client = createClient({
    url,
    ...signInOf(identity, url, watcherIdOf(plan), plan.tls),
    webSocket: createSocketFactory(plan.tls).webSocket,
    // Longer than the agents' timeout, so that the watcher does not fail first when the hub is at
    // its limit.
    callTimeoutMs: 30_000,
  });
  await firstConnection(client, url);
  return {
    get isLive() {
      return client.state === 'live';
    },
    async createChannels() {
      for (const channelId of plan.channels) {
        await client.call('channel.create', { channelId, name: `Load test ${plan.runId}` });
      }
    },
    async subscribe() {
      await Promise.all(plan.channels.map((channelId) => client.channel(channelId).subscribe()));
    },
    async heads() {
      const heads = plan.channels.map(async (channelId) => {
        const { channel } = await client.channel(channelId).get();
        return [channelId, channel.head] as const;
      });
      return Object.fromEntries(await Promise.all(heads));
    },
    async deleteChannels() {
      for (const channelId of plan.channels) await client.channel(channelId).deleteChannel();
    },
    close: () => client.close(),
  };
}

async function firstConnection(client: HubClient, url: string): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      client.ready().then(() => resolve(), reject);
      client.on('state', ({ error }) => {
        if (error !== null) reject(error);
      });
    });
  } catch (error) {
    await client.close();
    if (error instanceof LoadgenError) throw error;
    const cause =
      error instanceof Error && error.cause instanceof LoadgenError ? error.cause : error;
    if (cause instanceof LoadgenError) throw cause;
    const why = error instanceof Error ? error.message : String(error);
    throw new LoadgenError('unreachable', `No run against ${url}: ${why}`, { cause: error });
  }
}
