import { setTimeout as delay } from 'node:timers/promises';
import { createClient, type HubClient } from '@openclaw/client';

export interface Load extends AsyncDisposable {
  readonly sent: number;
  /** Counts calls that failed because a hub or its database was away. */
  readonly failed: number;
}

const channelIds = ['drill-1', 'drill-2', 'drill-3'];
const pauseMs = 200;
const callTimeoutMs = 2_000;

/** Two agents per hub send, type, react, read, and resume after each lost connection. */
export async function startLoad(hubUrls: readonly string[]): Promise<Load> {
  let sent = 0;
  let failed = 0;
  const ending = new AbortController();
  const agents = hubUrls.flatMap((url, hub) =>
    ['anna', 'ben'].map((name) => createClient({ url, agent: `${name}-${hub}` })),
  );
  await Promise.all(agents.map((agent) => agent.ready()));
  const [first] = agents as [HubClient, ...HubClient[]];
  for (const channelId of channelIds) await first.createChannel({ channelId, name: channelId });
  for (const agent of agents) {
    for (const channelId of channelIds) {
      await agent.channel(channelId).join();
      await agent.channel(channelId).subscribe();
    }
  }

  async function chat(agent: HubClient, url: string): Promise<void> {
    const options = { timeoutMs: callTimeoutMs, signal: ending.signal };
    const http = url.replace(/^ws/, 'http');
    for (let turn = 0; !ending.signal.aborted; turn += 1) {
      const channelId = channelIds[turn % channelIds.length] as string;
      const channel = agent.channel(channelId);
      try {
        if (turn % 5 === 0) await channel.startTyping(null, options);
        const { messageId, seq } = await channel.send(`turn ${turn}`, {}, options);
        sent += 1;
        if (turn % 5 === 1) await channel.react(messageId, '👍', options);
        if (turn % 5 === 2) await channel.history({}, options);
        if (turn % 20 === 3)
          await fetch(`${http}/v1/channels/${channelId}/messages?agent=rest`, {
            signal: AbortSignal.timeout(callTimeoutMs),
          });
        if (turn % 50 === 4) {
          // Subscribes again after the last seq, as a client does after a lost connection.
          await channel.unsubscribe();
          await channel.subscribe({ since: seq, signal: ending.signal });
        }
      } catch {
        failed += 1;
      }
      await delay(pauseMs, undefined, { signal: ending.signal }).catch(() => undefined);
    }
  }
  const chats = agents.map((agent, at) => chat(agent, hubUrls[Math.floor(at / 2)] as string));

  return {
    get sent() {
      return sent;
    },
    get failed() {
      return failed;
    },
    async [Symbol.asyncDispose]() {
      ending.abort();
      await Promise.all(chats);
      await Promise.all(agents.map((agent) => agent.close()));
    },
  };
}
