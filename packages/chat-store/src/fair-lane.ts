import { ChatStoreError, runtimeError, type ChatStoreErrorCode } from './errors.ts';

export interface FairLaneOptions {
  readonly width: number;
  /** The most concurrent calls of one agent, or of the hub itself. */
  readonly widthPerAgent: number;
  /** The most calls, running and waiting together. */
  readonly maxCalls: number;
  readonly timeoutMs: number;
}

interface Party {
  readonly waiting: { start(): void; refuse(error: ChatStoreError): void }[];
  running: number;
}

const retryAfterMs = 500;

/**
 * Limits concurrent calls. Waiting calls take turns by agent. If the lane is full, a call of another agent displaces
 * the latest waiting call of the agent with the most waiting calls. The displaced call is refused.
 */
export function createFairLane(options: FairLaneOptions) {
  const { width, widthPerAgent, maxCalls, timeoutMs } = options;
  /** In the order of their next turn. */
  const parties = new Map<string | null, Party>();
  let running = 0;
  let waiting = 0;

  function partyOf(agentId: string | null): Party {
    const known = parties.get(agentId);
    if (known) return known;
    const party: Party = { waiting: [], running: 0 };
    parties.set(agentId, party);
    return party;
  }

  const mayStart = (party: Party) => party.waiting.length > 0 && party.running < widthPerAgent;

  /**
   * An agent that may not start a call has a running call. At most `width` calls run, so the search skips at most
   * `width` agents.
   */
  function nextInTurn(): [string | null, Party] | undefined {
    const hub = parties.get(null);
    if (hub && mayStart(hub)) return [null, hub];
    for (const entry of parties) if (mayStart(entry[1])) return entry;
    return undefined;
  }

  function startNext(): void {
    while (running < width) {
      const next = nextInTurn();
      if (!next) return;
      const [agentId, party] = next;
      parties.delete(agentId);
      parties.set(agentId, party);
      const call = party.waiting.shift();
      waiting -= 1;
      party.running += 1;
      running += 1;
      call?.start();
    }
  }

  function ended(agentId: string | null, party: Party): void {
    party.running -= 1;
    running -= 1;
    forgetIdle(agentId, party);
    startNext();
  }

  function forgetIdle(agentId: string | null, party: Party): void {
    if (party.running === 0 && party.waiting.length === 0) parties.delete(agentId);
  }

  function makeRoom(agentId: string | null): void {
    if (running + waiting < maxCalls) return;
    const own = parties.get(agentId)?.waiting.length ?? 0;
    let heaviest: [string | null, Party] | undefined;
    for (const [id, party] of parties) {
      if (party.waiting.length > Math.max(own + 1, heaviest?.[1].waiting.length ?? 0)) {
        heaviest = [id, party];
      }
    }
    const tooMany = (code: 'rate_limited' | 'unavailable') =>
      new ChatStoreError(code, 'too many calls are running or waiting', { retryAfterMs });
    if (!heaviest) throw tooMany(agentId !== null && own > 0 ? 'rate_limited' : 'unavailable');
    const [id, party] = heaviest;
    waiting -= 1;
    party.waiting.pop()?.refuse(tooMany(id === null ? 'unavailable' : 'rate_limited'));
    forgetIdle(id, party);
  }

  return {
    get waiting() {
      return waiting;
    },
    /**
     * Settles within the lane's timeout: a late call rejects with `late`. A late call that still waited is never made.
     * Any other late call counts as running until the database has ended it. `agentId` null is the hub itself, whose
     * calls go first.
     * @throws {ChatStoreError} `rate_limited` for the agent that fills a full lane, `unavailable` when no single agent
     * fills it
     */
    async run<T>(
      agentId: string | null,
      call: () => Promise<T>,
      late: Extract<ChatStoreErrorCode, 'unavailable' | 'timeout'> = 'unavailable',
    ): Promise<T> {
      makeRoom(agentId);
      const party = partyOf(agentId);
      let timer: NodeJS.Timeout | undefined;
      try {
        return await new Promise<T>((resolve, reject) => {
          const own = {
            start: () =>
              void call()
                .then(resolve, reject)
                .finally(() => ended(agentId, party)),
            refuse: reject,
          };
          timer = setTimeout(() => {
            const at = party.waiting.indexOf(own);
            if (at >= 0) {
              party.waiting.splice(at, 1);
              waiting -= 1;
              forgetIdle(agentId, party);
            }
            const message = `the database did not answer within ${timeoutMs} ms`;
            reject(new ChatStoreError(late, message));
          }, timeoutMs);
          party.waiting.push(own);
          waiting += 1;
          startNext();
        });
      } catch (error) {
        throw runtimeError(error);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
