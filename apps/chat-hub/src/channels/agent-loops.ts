import type { AddressedLoop } from '@openclaw/chat-store';
import type { Limit } from '@openclaw/ratelimit';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';

/** The most pairs of agents that are counted; the ones that were quiet longest are forgotten. */
const maxPairs = 50_000;
const maxSenders = 10_000;
/**
 * The most agents that one sender may be kept from addressing. Their list goes to the store with each of its writes.
 */
const maxLoops = 200;

interface Count {
  readonly sinceMs: number;
  used: number;
}

/**
 * Counts how often each agent of this hub addresses each other one, so that two bots that answer each other pause for
 * the rest of the window. The store decides with `paused`, because it knows whether a person wrote in between. Calls that
 * are in flight when the limit is reached still pass. Times are the database's. With null nothing is counted; each
 * message is reported to `onAddressed` all the same.
 */
export function createAgentLoops(
  most: Limit | null,
  log: Logger,
  onAddressed: (sender: string, addressed: readonly string[]) => void = () => undefined,
) {
  const ttl = most?.windowMs ?? 1;
  const counts = new LRUCache<string, Count>({ max: maxPairs, ttl });
  const paused = new LRUCache<string, readonly AddressedLoop[]>({ max: maxSenders, ttl });

  function count({ limit, windowMs }: Limit, sender: string, agentId: string, atMs: number): void {
    const key = `${sender}\n${agentId}`;
    const loops = paused.get(sender) ?? [];
    const others = loops.filter((loop) => loop.agentId !== agentId && loop.untilMs > atMs);
    const known = counts.get(key);
    // If a message is accepted while its pair is paused, a person wrote in between, or its place has a budget.
    const isPaused = loops.some((loop) => loop.agentId === agentId && loop.untilMs > atMs);
    const isOver = known !== undefined && atMs >= known.sinceMs + windowMs;
    const counted: Count =
      known === undefined || isOver || isPaused ? { sinceMs: atMs, used: 0 } : known;
    counted.used += 1;
    counts.set(key, counted);
    if (isPaused) paused.set(sender, others);
    if (counted.used < limit) return;
    const { sinceMs } = counted;
    const loop = { agentId, sinceMs, untilMs: sinceMs + windowMs };
    paused.set(sender, [loop, ...others].slice(0, maxLoops));
    log.warn(
      { agentId: sender, addressed: agentId, messages: counted.used },
      'an agent addresses another one in a loop: it pauses until the window of HUB_AGENT_LOOP ends',
    );
  }

  return {
    /** The agents that each sender must not address now. A map instead of a function, because every write reads it. */
    paused: paused as Pick<typeof paused, 'get'>,
    committed(sender: string, addressed: readonly string[], atMs: number): void {
      onAddressed(sender, addressed);
      if (most === null) return;
      for (const agentId of addressed) count(most, sender, agentId, atMs);
    },
  };
}

export type AgentLoops = ReturnType<typeof createAgentLoops>;
