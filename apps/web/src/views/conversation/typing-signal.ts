/** Says that somebody types, no more often than others need to hear it. */
export interface TypingSignal {
  typed(): void;
  /** The message was sent, which says by itself that typing is over. */
  sent(): void;
  stop(): void;
}

// The hub forgets after 10 s; a pause of less is no stop.
const sayAgainMs = 5_000;
const pauseMs = 6_000;

/** `say` is told when typing starts, while it goes on, and when it stops. */
export function createTypingSignal(say: (isTyping: boolean) => void): TypingSignal {
  let saidAtMs: number | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  function end(isSaid: boolean) {
    clearTimeout(timer);
    if (saidAtMs !== null && isSaid) say(false);
    saidAtMs = null;
  }
  return {
    typed() {
      const nowMs = Date.now();
      if (saidAtMs === null || nowMs - saidAtMs >= sayAgainMs) {
        saidAtMs = nowMs;
        say(true);
      }
      clearTimeout(timer);
      timer = setTimeout(() => end(true), pauseMs);
    },
    sent: () => end(false),
    stop: () => end(true),
  };
}
