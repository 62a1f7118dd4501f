import { signal } from '@preact/signals';
import { plainReason } from './plain-errors.ts';

/** A text at the top of the page. It stays until it is dismissed or replaced by newer ones. */
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
    /** Makes a handler that shows a notice: what failed, and why. */
    report,
    /**
     * Shows nothing while there is no connection, because the connection status already shows the
     * cause.
     */
    reportWhileLive: (what: string) => (error: unknown) => {
      if (isLive()) report(what)(error);
    },
    dismiss(id: number) {
      list.value = list.peek().filter((notice) => notice.id !== id);
    },
  };
}
