import { signal } from '@preact/signals';
import { plainReason } from './plain-errors.ts';

export interface Notice {
  readonly id: number;
  readonly text: string;
  readonly detail: string | null;
}

export type FailureReports = Pick<ReturnType<typeof createNotices>, 'report' | 'reportWhileLive'>;

const noticesMax = 4;

export function createNotices(isLive: () => boolean) {
  const list = signal<readonly Notice[]>([]);
  let lastId = 0;
  function add(text: string, detail: string | null) {
    const others = list.peek().filter((notice) => notice.text !== text);
    lastId += 1;
    list.value = [...others, { id: lastId, text, detail }].slice(-noticesMax);
  }
  const report = (what: string) => (error: unknown) => add(what, plainReason(error));
  return {
    /** The newest notice is last. */
    list,
    add,
    report,
    /** The connection status already shows a missing connection, so nothing is shown then. */
    reportWhileLive: (what: string) => (error: unknown) => {
      if (isLive()) report(what)(error);
    },
    dismiss(id: number) {
      list.value = list.peek().filter((notice) => notice.id !== id);
    },
  };
}
