/** A pino logger fits. No argument contains a password or a command's arguments. */
export interface Logger {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

export const silentLogger: Logger = { info() {}, warn() {}, error() {} };

const quietMs = 1000;

/**
 * Logs each message at most once a second, so that a frequent fault does not fill the disk. `count` tells how often the
 * message occurred since its last line.
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
