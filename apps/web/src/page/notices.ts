import { signal, type ReadonlySignal } from '@preact/signals';

/** Something the reader should know; it stays until dismissed or pushed out. */
export interface Notice {
  readonly id: number;
  readonly text: string;
  readonly detail: string | null;
}

/** What is to be told, newest last. */
export interface Notices {
  readonly list: ReadonlySignal<readonly Notice[]>;
  add(text: string, detail: string | null): void;
  /** Tells that something went wrong. */
  readonly report: (what: string, error: unknown) => void;
  dismiss(id: number): void;
}

const noticesMax = 4;

/** No notices yet. */
export function createNotices(): Notices {
  const list = signal<readonly Notice[]>([]);
  let lastId = 0;
  function add(text: string, detail: string | null) {
    // Said twice, it is still one thing to know.
    const others = list.peek().filter((notice) => notice.text !== text);
    lastId += 1;
    list.value = [...others, { id: lastId, text, detail }].slice(-noticesMax);
  }
  return {
    list,
    add,
    report: (what, error) => add(what, error instanceof Error ? error.message : String(error)),
    dismiss(id) {
      list.value = list.peek().filter((notice) => notice.id !== id);
    },
  };
}
