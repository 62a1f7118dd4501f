import type { AddressedLoop } from '@openclaw/chat-store';
import type { Limit } from '@openclaw/ratelimit';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';

/** Past this number, the pair that was quiet longest is forgotten. */
const maxPairs = 50_000;
const maxSenders = 10_000;
/** The list is bounded, because it goes to the store with each of the sender's writes. */
const maxLoops = 200;

interface Count {
  readonly sinceMs: number;
  used: number;
}

/**
 * Counts how often each agent of this hub addresses each other agent, and pauses pairs over the limit for the rest of
 * the window. The store decides, because it knows whether a person wrote in between. Times are the database's. With a
 * null limit nothing is counted, but `onAddressed` is still called.
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
    // A message of a paused pair is accepted only if a person wrote in between, or if its thread or
    // channel has a budget.
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
    /** Every write reads `paused`, so it is a map and not a function. */
    paused: paused as Pick<typeof paused, 'get'>,
    committed(sender: string, addressed: readonly string[], atMs: number): void {
      onAddressed(sender, addressed);
      if (most === null) return;
      for (const agentId of addressed) count(most, sender, agentId, atMs);
    },
  };
}

export type AgentLoops = ReturnType<typeof createAgentLoops>;
