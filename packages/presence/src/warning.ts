/** Where this package reports; pino's loggers fit. */
export interface PresenceLogger {
  warn(details: object, message: string): void;
}

const quietMs = 1000;

/** Logs each message once a second at most, with how often it came since: a flood of trouble is no flood of lines. */
export function createWarning(logger: PresenceLogger | undefined, monotonic: () => number) {
  const seen = new Map<string, { quietUntilMs: number; count: number }>();
  return (details: object, message: string): void => {
    if (!logger) return;
    const one = seen.get(message) ?? { quietUntilMs: -Infinity, count: 0 };
    seen.set(message, one);
    one.count += 1;
    if (monotonic() < one.quietUntilMs) return;
    logger.warn({ ...details, count: one.count }, message);
    seen.set(message, { quietUntilMs: monotonic() + quietMs, count: 0 });
  };
}
