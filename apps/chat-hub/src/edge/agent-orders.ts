import type { ChatStore, GivenAgentOrder } from '@openclaw/chat-store';
import { createLocalRateLimiter, parseLimit, type LocalRateLimiter } from '@openclaw/ratelimit';
import type { Logger } from 'pino';
import type { Sessions } from '../sockets/sessions.ts';

const everyMs = 500;

export type OwnLimiter = Pick<LocalRateLimiter<'message'>, 'consume'>;

interface LimitedAgent {
  readonly value: string;
  readonly limiter: LocalRateLimiter<'message'>;
}

/**
 * Applies the orders of admins about agents. A kick closes the agent's sockets on this hub within a second. Costs one
 * small statement every half second.
 */
export async function createAgentOrders(deps: {
  readonly store: Pick<ChatStore, 'agentOrders'>;
  readonly sessions: Sessions;
  readonly log: Logger;
}) {
  const { store, sessions, log } = deps;
  let kicked = new Set<string>();
  let limited = new Map<string, LimitedAgent>();
  const limiters = new Map<string, OwnLimiter>();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let isClosed = false;

  const idOf = ({ agentId, givenAtMs }: GivenAgentOrder) => `${agentId} ${givenAtMs}`;

  function follow(orders: readonly GivenAgentOrder[], isFirst: boolean): void {
    const kicks = orders.filter(({ kind }) => kind === 'kick');
    for (const kick of kicks) {
      // A kick from before this hub's start does not concern its sockets.
      if (isFirst || kicked.has(idOf(kick))) continue;
      for (const session of sessions.ofAgent(kick.agentId)) session.close(4403, kick.value);
    }
    kicked = new Set(kicks.map(idOf));
    const before = limited;
    limited = new Map();
    for (const { agentId, kind, value } of orders) {
      if (kind !== 'limit') continue;
      const known = before.get(agentId);
      // A limiter keeps its counts of requests if its limit is unchanged.
      limited.set(agentId, known?.value === value ? known : { value, limiter: limiterOf(value) });
    }
    limiters.clear();
    for (const [agentId, { limiter }] of limited) limiters.set(agentId, limiter);
    for (const [agentId, { limiter }] of before)
      if (limited.get(agentId)?.limiter !== limiter) void limiter.close();
  }

  async function read(): Promise<void> {
    follow(await store.agentOrders(), false);
  }

  function run(): Promise<void> {
    clearTimeout(timer);
    running ??= read()
      .catch((error: unknown) =>
        log.debug({ err: error }, 'the orders about agents could not be read: they are read again'),
      )
      .finally(() => {
        running = undefined;
        if (!isClosed) timer = setTimeout(() => void run(), everyMs).unref();
      });
    return running;
  }

  follow(await store.agentOrders(), true);
  timer = setTimeout(() => void run(), everyMs).unref();

  return {
    /** Reads the newest orders at once. Never rejects. */
    async now() {
      // A running read may have begun before the order, so another read follows.
      await running;
      await run();
    },
    /** Maps each agent that has a limit of its own to its limiter, which applies before the usual limiter. */
    limiters: limiters as ReadonlyMap<string, OwnLimiter>,
    limitOf: (agentId: string) => limited.get(agentId)?.value ?? null,
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await running;
      for (const { limiter } of limited.values()) await limiter.close();
    },
  };
}

function limiterOf(value: string): LocalRateLimiter<'message'> {
  return createLocalRateLimiter({}, { limits: { message: parseLimit(value) } });
}

export type AgentOrders = Awaited<ReturnType<typeof createAgentOrders>>;
