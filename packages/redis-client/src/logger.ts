/** Receives the log lines of a package. A pino logger fits. No line holds a password or a command's arguments. */
export interface Logger {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

/** The logger of a client that was given none. */
export const silentLogger: Logger = { info() {}, warn() {}, error() {} };
