/** The logger of this package; pino's loggers fit. */
export interface EventsLogger {
  warn(details: object, message: string): void;
}

/** Logs each kind of failure at most once a second, with how often it occurred since. */
export class Reporter {
  readonly #logger: EventsLogger | undefined;
  readonly #clock: () => number;
  readonly #kinds = new Map<string, { quietUntilMs: number; count: number }>();

  constructor(logger: EventsLogger | undefined, clock: () => number) {
    this.#logger = logger;
    this.#clock = clock;
  }

  report(message: string, details: object): void {
    if (this.#logger === undefined) return;
    const nowMs = this.#clock();
    const kind = this.#kinds.get(message) ?? { quietUntilMs: 0, count: 0 };
    this.#kinds.set(message, kind);
    kind.count += 1;
    if (nowMs < kind.quietUntilMs) return;
    this.#logger.warn({ ...details, count: kind.count }, message);
    kind.quietUntilMs = nowMs + 1000;
    kind.count = 0;
  }
}
