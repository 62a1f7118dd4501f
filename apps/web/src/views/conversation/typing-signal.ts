// The hub forgets after 10 s, so a shorter pause needs no stop.
const repeatMs = 5_000;
const pauseMs = 6_000;

/** Reports typing: `report` is called when it starts, every few seconds while it continues, and when it stops. */
export function createTypingSignal(report: (isTyping: boolean) => void) {
  let reportedAtMs: number | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  function end(isReported: boolean) {
    clearTimeout(timer);
    if (reportedAtMs !== null && isReported) report(false);
    reportedAtMs = null;
  }
  return {
    typed() {
      const nowMs = Date.now();
      if (reportedAtMs === null || nowMs - reportedAtMs >= repeatMs) {
        reportedAtMs = nowMs;
        report(true);
      }
      clearTimeout(timer);
      timer = setTimeout(() => end(true), pauseMs);
    },
    /** The message was sent, which ends typing without a report. */
    sent: () => end(false),
    stop: () => end(true),
  };
}
