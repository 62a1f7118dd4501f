/** Runs `callback` once after `delayMs`; the returned function prevents that. */
export type Schedule = (callback: () => void, delayMs: number) => () => void;

/** By setTimeout, not keeping the process alive. */
export const scheduleTimeout: Schedule = (callback, delayMs) => {
  const timer = setTimeout(callback, delayMs);
  timer.unref();
  return () => clearTimeout(timer);
};
