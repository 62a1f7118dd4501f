interface Ticket {
  readonly isWrite: boolean;
  missing: number;
  start: () => void;
}

interface Lane {
  running: number;
  isWriting: boolean;
  readonly waiting: Ticket[];
}

/**
 * The order of one socket's calls on each channel. Writes run concurrently, because the store takes them in the order
 * of arrival. A call that does not write waits for the calls before it, and later calls wait for that call.
 */
export function createCallOrder() {
  const lanes = new Map<string, Lane>();

  const mayRun = (lane: Lane, isWrite: boolean) =>
    lane.running === 0 || (isWrite && lane.isWriting);

  function enter(id: string, ticket: Ticket): void {
    let lane = lanes.get(id);
    if (!lane) lanes.set(id, (lane = { running: 0, isWriting: false, waiting: [] }));
    if (lane.waiting.length === 0 && mayRun(lane, ticket.isWrite)) admit(lane, ticket);
    else lane.waiting.push(ticket);
  }

  function admit(lane: Lane, ticket: Ticket): void {
    lane.running += 1;
    lane.isWriting = ticket.isWrite;
    ticket.missing -= 1;
    if (ticket.missing === 0) ticket.start();
  }

  function leave(id: string): void {
    const lane = lanes.get(id);
    if (!lane) return;
    lane.running -= 1;
    for (let next = lane.waiting[0]; next && mayRun(lane, next.isWrite); next = lane.waiting[0]) {
      lane.waiting.shift();
      admit(lane, next);
    }
    if (lane.running === 0) lanes.delete(id);
  }

  return {
    /** Runs `work` synchronously, unless it must wait until earlier calls on these channels have settled. */
    run<T>(ids: readonly string[], isWrite: boolean, work: () => Promise<T>): Promise<T> {
      const distinct = ids.length > 1 ? [...new Set(ids)] : ids;
      if (distinct.length === 0) return work();
      return new Promise((resolve, reject) => {
        const start = () => {
          work()
            .finally(() => distinct.forEach(leave))
            .then(resolve, reject);
        };
        const ticket: Ticket = { isWrite, missing: distinct.length, start };
        for (const id of distinct) enter(id, ticket);
      });
    },
  };
}

export type CallOrder = ReturnType<typeof createCallOrder>;
