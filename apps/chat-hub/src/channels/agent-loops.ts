import type { AddressedLoop } from '@openclaw/chat-store';
import type { Limit } from '@openclaw/ratelimit';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';

/** When there are more pairs, the one that was quiet longest is forgotten. */
const maxPairs = 50_000;
const maxSenders = 10_000;
/** The limit of paused pairs of one sender. Every write of the sender takes the list of these pairs to the store. */
const maxLoops = 200;

interface Count {
  readonly sinceMs: number;
  used: number;
}

/**
 * Counts how often an agent of this hub addresses another agent, for each such pair. A pair that reaches the limit is
 * paused for the rest of the window. The store decides about each message of a paused pair, because it knows whether a
 * person wrote in between. Times are the database's. If the limit is null, nothing is counted, but `onAddressed` is
 * still called.
 */
export function createAgentLoops(
  most: Limit | null,
  log: Logger,
  onAddressed: (sender: string, addressed: readonly string[]) => void = () => undefined,
) {
  const ttl = most?.windowMs ?? 1;
  const counts = new LRUCache<string, Count>({ max: maxPairs, ttl });
  const paused = new LRUCache<string, readonly AddressedLoop[]>({ max: maxSenders, ttl });

  function count(
    { limit, windowMs }: Limit,
    sender: string,
    agentId: string,
    atMs: number,
    isStreamEnd: boolean,
  ): void {
    const key = `${sender}\n${agentId}`;
    const loops = paused.get(sender) ?? [];
    const others = loops.filter((loop) => loop.agentId !== agentId && loop.untilMs > atMs);
    const known = counts.get(key);
    // The store accepts a message of a paused pair if a person wrote in between, or if the thread or the channel has a
    // budget. The accepted message ends the pause.
    const isPaused = loops.some((loop) => loop.agentId === agentId && loop.untilMs > atMs);
    // The store accepts the end of a growing message even during a pause, so this acceptance is no reason to end the
    // pause.
    if (isPaused && isStreamEnd) return;
    const isOver = known !== undefined && atMs >= known.sinceMs + windowMs;
    const counted: Count =
      known === undefined || isOver || isPaused ? { sinceMs: atMs, used: 0 } : known;
    counted.used += 1;
    counts.set(key, counted);
    if (isPaused) paused.set(sender, others);
    if (counted.used < limit) return;
    const { sinceMs } = counted;
    const loop: AddressedLoop = {
      ...{ agentId, sinceMs, untilMs: sinceMs + windowMs },
      ...(isStreamEnd && { byStreams: true }),
    };
    paused.set(sender, [loop, ...others].slice(0, maxLoops));
    log.warn(
      { agentId: sender, addressed: agentId, messages: counted.used },
      'an agent addresses another one in a loop: it pauses until the window of HUB_AGENT_LOOP ends',
    );
  }

  return {
    /** Every write looks up its sender here. */
    paused: paused as Pick<typeof paused, 'get'>,
    /** `isStreamEnd` is true for the end of a growing message. */
    committed(
      sender: string,
      addressed: readonly string[],
      atMs: number,
      isStreamEnd = false,
    ): void {
      onAddressed(sender, addressed);
      if (most === null) return;
      for (const agentId of addressed) count(most, sender, agentId, atMs, isStreamEnd);
    },
  };
}

export type AgentLoops = ReturnType<typeof createAgentLoops>;
