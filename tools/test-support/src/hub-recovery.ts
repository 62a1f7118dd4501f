import type { ChatTraffic } from './chat-traffic.ts';
import { connectAgent } from './chat-traffic.ts';
import type { HubProcess } from './hub.ts';
import { usesRedis } from './hub-pair.ts';
import { waitFor } from './processes.ts';
import { RpcCallError, type RpcSocket } from './rpc-socket.ts';

/** Resolves when all hubs use Redis (`used`), or when no hub does (`away`). */
export async function untilRedisIs(
  state: 'used' | 'away',
  hubs: readonly HubProcess[],
  timeoutMs = 20_000,
): Promise<void> {
  const what = `Redis ${state}`;
  const wanted = state === 'used';
  await waitFor(async () => (await Promise.all(hubs.map(usesRedis))).every((is) => is === wanted), {
    what,
    timeoutMs,
    everyMs: 20,
  });
}

/**
 * Starts typing at each hub in each channel, and resolves when the next hub in the list (after the last, the first)
 * shows it. Only pub/sub carries typing, so publishing and subscribing then work at every hub.
 */
export async function untilTopicsPass(
  { watchers, channels }: ChatTraffic,
  timeoutMs = 20_000,
): Promise<void> {
  await Promise.all(
    channels.flatMap((channelId) =>
      watchers.map((typist, at) => {
        const watcher = watchers[(at + 1) % watchers.length] as RpcSocket;
        return waitFor(() => typingPasses(typist, watcher, channelId), {
          what: `typing in ${channelId} from hub ${at}`,
          timeoutMs,
        });
      }),
    ),
  );
}

async function typingPasses(
  typist: RpcSocket,
  watcher: RpcSocket,
  channelId: string,
): Promise<boolean> {
  const { agentId } = typist.welcome as { agentId: string };
  const before = watcher.events.length;
  const hasPassed = () =>
    watcher.events
      .slice(before)
      .some(
        ({ event }) =>
          event.type === 'channel.typing' &&
          event.channelId === channelId &&
          event.agentId === agentId,
      );
  await typist.call('typing.start', { channelId });
  const passed = await waitFor(hasPassed, { timeoutMs: 100, everyMs: 5 }).catch(() => false);
  await typist.call('typing.stop', { channelId });
  return passed;
}

/** Resolves when each hub lists every watcher in every channel, and no list is degraded. */
export async function untilPresenceIsWhole(
  traffic: ChatTraffic,
  timeoutMs = 20_000,
): Promise<void> {
  const { watchers, watcherIds, channels } = traffic;
  async function isWhole(watcher: RpcSocket, channelId: string): Promise<boolean> {
    const { presences, degraded } = await watcher.call('presence.list', { channelId });
    const present = (presences as { agentId: string }[]).map(({ agentId }) => agentId);
    return !degraded && watcherIds.every((agentId) => present.includes(agentId));
  }
  await waitFor(
    async () =>
      (
        await Promise.all(
          watchers.flatMap((watcher) => channels.map((channelId) => isWhole(watcher, channelId))),
        )
      ).every(Boolean),
    { what: 'presence on both hubs', timeoutMs, everyMs: 40 },
  );
}

/**
 * Makes `limit` reactions at the first hub. Resolves with the number of reactions that the second hub then allows: few
 * if the hubs share counts, `limit` if not.
 */
export async function allowedElsewhere(
  [first, second]: readonly [HubProcess, HubProcess],
  {
    channelId,
    messageId,
    agentId,
  }: Readonly<Record<'channelId' | 'messageId' | 'agentId', string>>,
  limit: number,
): Promise<number> {
  const here = await connectAgent(first, agentId);
  const there = await connectAgent(second, agentId);
  try {
    await here.call('channel.join', { channelId });
    const react = (socket: RpcSocket, count: number) =>
      socket.call(count % 2 === 0 ? 'reaction.add' : 'reaction.remove', {
        channelId,
        messageId,
        emoji: '👍',
      });
    for (let count = 0; count < limit; count += 1) await react(here, count);
    for (let allowed = 0; ; allowed += 1) {
      const isLimited = await react(there, allowed).then(
        () => false,
        (error: unknown) => {
          if (error instanceof RpcCallError && error.code === 'rate_limited') return true;
          throw error;
        },
      );
      if (isLimited) return allowed;
      // The first hub shares its counts only at its next exchange.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } finally {
    await Promise.all([here.close(), there.close()]);
  }
}
