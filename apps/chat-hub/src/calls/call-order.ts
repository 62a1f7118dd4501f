/**
 * The order of one socket's calls on each channel. Changes run side by side, because the store takes them in the order
 * of their coming; everything else on a channel waits for what came before it, and what comes after waits for it.
 */
export interface CallOrder {
  /** Runs `work` at once if it may, before this returns; else when the calls before it have settled. */
  run<T>(names: readonly string[], isChange: boolean, work: () => Promise<T>): Promise<T>;
}

interface Ticket {
  readonly isChange: boolean;
  /** Names whose turn has not come. */
  missing: number;
  start: () => void;
}

interface Line {
  /** Calls under way. */
  running: number;
  isChanging: boolean;
  readonly waiting: Ticket[];
}

/** Creates the order of one socket. It holds nothing while no call is under way. */
export function createCallOrder(): CallOrder {
  const lines = new Map<string, Line>();

  const mayRun = (line: Line, isChange: boolean) =>
    line.running === 0 || (isChange && line.isChanging);

  function enter(name: string, ticket: Ticket): void {
    let line = lines.get(name);
    if (!line) lines.set(name, (line = { running: 0, isChanging: false, waiting: [] }));
    if (line.waiting.length === 0 && mayRun(line, ticket.isChange)) admit(line, ticket);
    else line.waiting.push(ticket);
  }

  function admit(line: Line, ticket: Ticket): void {
    line.running += 1;
    line.isChanging = ticket.isChange;
    ticket.missing -= 1;
    if (ticket.missing === 0) ticket.start();
  }

  function leave(name: string): void {
    const line = lines.get(name);
    if (!line) return;
    line.running -= 1;
    for (let next = line.waiting[0]; next && mayRun(line, next.isChange); next = line.waiting[0]) {
      line.waiting.shift();
      admit(line, next);
    }
    if (line.running === 0) lines.delete(name);
  }

  return {
    run(names, isChange, work) {
      const distinct = names.length > 1 ? [...new Set(names)] : names;
      if (distinct.length === 0) return work();
      return new Promise((resolve, reject) => {
        const start = () => {
          work()
            .finally(() => distinct.forEach(leave))
            .then(resolve, reject);
        };
        const ticket: Ticket = { isChange, missing: distinct.length, start };
        for (const name of distinct) enter(name, ticket);
      });
    },
  };
}
