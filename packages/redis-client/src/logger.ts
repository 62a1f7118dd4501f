/** The logger of a package; a pino logger fits. No argument ever contains a password or the arguments of a command. */
export interface Logger {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

/** Used when no logger is given. */
export const silentLogger: Logger = { info() {}, warn() {}, error() {} };

const quietMs = 1000;

/**
 * Returns a `warn` that logs each message at most once a second, with `count`, the number of its calls since the last
 * line. A fault that affects thousands of calls therefore does not fill a disk.
 */
export function createThrottledWarn(
  logger: Pick<Logger, 'warn'> | undefined,
  monotonic: () => number,
): Logger['warn'] {
  const messages = new Map<string, { quietUntilMs: number; count: number }>();
  return (details, message) => {
    if (!logger) return;
    const seen = messages.get(message) ?? { quietUntilMs: -Infinity, count: 0 };
    messages.set(message, seen);
    seen.count += 1;
    if (monotonic() < seen.quietUntilMs) return;
    logger.warn({ ...details, count: seen.count }, message);
    seen.quietUntilMs = monotonic() + quietMs;
    seen.count = 0;
  };
}
