import type { Retention } from './core/retention.ts';
import type { TurnLimit } from './core/turns.ts';
import { ChatStoreError } from './errors.ts';

export interface ChatStoreOptions {
  /**
   * `sqlite:<path>`, a file that is created with its folder if necessary; or
   * `postgres://user:password@host:port/database`.
   */
  readonly url: string;
  /** Every call ends within this time. The default leaves the caller time to answer within 3 s. @default 2900 */
  readonly timeoutMs?: number;
  readonly lockTimeoutMs?: number;
  /** The most commands committed together; at most 4096. @default 512 */
  readonly maxGroup?: number;
  /** The most bytes of one group's content. @default 1 MiB */
  readonly maxGroupBytes?: number;
  /** The shortest time between two groups. @default 1 */
  readonly gapMs?: number;
  /**
   * The time between two groups while the rate is above `busyAppendsPerSecond`. Commits are then fewer and larger.
   * @default 4
   */
  readonly busyGapMs?: number;
  /** The rate of appends above which `busyGapMs` applies. @default 500 */
  readonly busyAppendsPerSecond?: number;
  /**
   * The longest time between two groups. Above four times `busyAppendsPerSecond`, the time grows with the rate until it
   * reaches this value.
   * @default 8
   */
  readonly maxGapMs?: number;
  /** The most waiting commands; further ones are refused with `unavailable`. @default 10000 */
  readonly maxQueue?: number;
  /** The most bytes of waiting commands' content. @default 32 MiB */
  readonly maxQueueBytes?: number;
  /**
   * The most reads, running and waiting together. Look-ups have a separate limit of the same size. Above the limit, a
   * call of the agent with the most calls is refused.
   * @default 2000
   */
  readonly maxReads?: number;
  /** Connections to PostgreSQL for reads. Six more are for commits, look-ups and system calls. @default 8 */
  readonly poolSize?: number;
  /** How often rows that are no longer needed are removed. @default 60000 */
  readonly sweepEveryMs?: number;
  /** How often new messages are indexed for search. @default 250 */
  readonly searchEveryMs?: number;
  /** Entries of the audit log that are older than this are removed. @default 34560000000: 400 days */
  readonly auditRetentionMs?: number;
  /**
   * After this many messages of agents within `agentTurnsWindowMs` in one thread or direct channel, agents are paused
   * there. A budget of the thread or channel replaces this limit.
   * @default none
   */
  readonly agentTurns?: number | null;
  /**
   * The window of `agentTurns`. The end of the window also ends a pause.
   * @default 600000
   */
  readonly agentTurnsWindowMs?: number;
  /** Events that are older than this are trimmed in every channel. @default none: they stay */
  readonly retentionMs?: number | null;
  /** Every channel keeps this many of its newest messages. @default none: all stay */
  readonly maxMessages?: number | null;
}

const defaults = {
  timeoutMs: 2900,
  lockTimeoutMs: 2000,
  maxGroup: 512,
  maxGroupBytes: 1024 * 1024,
  gapMs: 1,
  busyGapMs: 4,
  busyAppendsPerSecond: 500,
  maxGapMs: 8,
  maxQueue: 10_000,
  maxQueueBytes: 32 * 1024 * 1024,
  maxReads: 2000,
  poolSize: 8,
  sweepEveryMs: 60_000,
  searchEveryMs: 250,
  auditRetentionMs: 34_560_000_000,
  agentTurnsWindowMs: 600_000,
};

/**
 * Look-ups are small queries that a hub always needs: rights, events for rooms, revoked tokens. Look-ups share a thread
 * or connections with system calls, so this number bounds the wait of a system call.
 */
export const lookUpsAtOnce = 3;

// Must be below the rows of one tail check, so that each check reads at least one whole commit; see changes.ts.
const maxGroupMax = 4096;

export type ParsedOptions = Required<
  Omit<ChatStoreOptions, 'url' | 'agentTurns' | keyof Retention>
> & {
  readonly turnLimit: TurnLimit | null;
  readonly retention: Retention;
  readonly target:
    | { readonly engine: 'sqlite'; readonly path: string }
    | { readonly engine: 'postgres'; readonly url: string };
};

/** @throws {ChatStoreError} `invalid_options`, naming the problem but not the URL, which may hold a password */
export function parseOptions(options: ChatStoreOptions): ParsedOptions {
  const { url, retentionMs = null, maxMessages = null, agentTurns = null, ...given } = options;
  const numbers = { ...defaults };
  for (const [name, value] of Object.entries({ retentionMs, maxMessages, agentTurns })) {
    if (value !== null && !isCount(value)) throw invalid(`${name} must be a whole number above 0`);
  }
  for (const [name, value] of Object.entries(given)) {
    if (!(name in defaults)) throw invalid(`there is no option ${name}`);
    if (value === undefined) continue;
    if (!isCount(value)) throw invalid(`${name} must be a whole number above 0`);
    if (name === 'maxGroup' && value > maxGroupMax) {
      throw invalid(`maxGroup must be at most ${maxGroupMax}`);
    }
    numbers[name as keyof typeof defaults] = value;
  }
  if (numbers.lockTimeoutMs >= numbers.timeoutMs) {
    throw invalid(
      'lockTimeoutMs must be below timeoutMs, so that a lock timeout is reported in time',
    );
  }
  const windowMs = numbers.agentTurnsWindowMs;
  return {
    ...numbers,
    turnLimit: agentTurns === null ? null : { limit: agentTurns, windowMs },
    retention: { retentionMs, maxMessages },
    target: parseUrl(url),
  };
}

const isCount = (value: number) => Number.isSafeInteger(value) && value >= 1;

function parseUrl(url: string): ParsedOptions['target'] {
  const problem = databaseUrlProblem(url);
  if (problem !== null) throw invalid(`the url ${problem}`);
  if (url.startsWith('sqlite:')) return { engine: 'sqlite', path: sqlitePath(url) };
  return { engine: 'postgres', url };
}

const sqlitePath = (url: string) => url.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, '');

/**
 * The end of a sentence about a bad URL; null for a good one. Quotes no part of the URL, because the rest of a password
 * after a raw `/`, `?` or `#` looks like the database's name.
 */
export function databaseUrlProblem(url: string): string | null {
  if (url.startsWith('sqlite:')) {
    const path = sqlitePath(url);
    return path === '' || path.startsWith(':') ? 'must be sqlite:<path of a file>' : null;
  }
  const form = 'must be sqlite:<path> or postgres://user:password@host:port/database';
  if (!/^postgres(ql)?:\/\/./.test(url)) return form;
  const unencoded = `${form}, with / ? # @ : and % in a user or password percent-encoded`;
  if (!URL.canParse(url)) return unencoded;
  const { username, password, pathname, search, hash } = new URL(url);
  const isSplit = pathname.includes('@') || (pathname.length < 2 && search.includes('@'));
  return isSplit || hash !== '' || !isDecodable(username) || !isDecodable(password)
    ? unencoded
    : null;
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

const invalid = (message: string) => new ChatStoreError('invalid_options', message);
