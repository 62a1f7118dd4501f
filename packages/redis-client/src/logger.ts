/** Where the client reports; pino's loggers fit. No argument ever holds a password or a command's arguments. */
export interface RedisLogger {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

/** Used when no logger is given. */
export const silentLogger: RedisLogger = { info() {}, warn() {}, error() {} };
