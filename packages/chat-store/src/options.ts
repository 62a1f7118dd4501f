import { ChatStoreError } from './errors.ts';

/** How a store is opened and bounded. */
export interface ChatStoreOptions {
  /** `sqlite:<path>`, a file that is made with its folder if need be; or `postgres://user:password@host:port/database`. */
  readonly url: string;
  /** Every call ends within this. The default leaves its caller time to answer within 3 s. @default 2900 */
  readonly timeoutMs?: number;
  /** How long a group waits for its channels' locks, or on SQLite for the file's. @default 2000 */
  readonly lockTimeoutMs?: number;
  /** Commands committed together at most, 4096 at most. @default 512 */
  readonly maxGroup?: number;
  /** The size of one group's content at most. @default 1 MiB */
  readonly maxGroupBytes?: number;
  /** Groups begin this far apart at least. @default 1 */
  readonly gapMs?: number;
  /** The same above `busyAppendsPerSecond`: fewer and larger commits. @default 4 */
  readonly busyGapMs?: number;
  /** Above this rate a wait costs less than the commits that it saves. @default 500 */
  readonly busyAppendsPerSecond?: number;
  /** Commands that may wait; beyond it they are refused with `unavailable`. @default 10000 */
  readonly maxQueue?: number;
  /** The size of the waiting commands' content. @default 32 MiB */
  readonly maxQueueBytes?: number;
  /** Reads under way and waiting, and look-ups likewise; beyond it the agent with most of them is refused. @default 2000 */
  readonly maxReads?: number;
  /** Connections to PostgreSQL for reads; six more are for the commits and for what keeps the hub going. @default 8 */
  readonly poolSize?: number;
}

const defaults = {
  timeoutMs: 2900,
  lockTimeoutMs: 2000,
  maxGroup: 512,
  maxGroupBytes: 1024 * 1024,
  gapMs: 1,
  busyGapMs: 4,
  busyAppendsPerSecond: 500,
  maxQueue: 10_000,
  maxQueueBytes: 32 * 1024 * 1024,
  maxReads: 2000,
  poolSize: 8,
};

/**
 * Look-ups at once: small queries that a hub cannot go on without (rights, what rooms deliver, revoked tokens). They share
 * a thread, or connections, with the system calls and never with agents' reads. A system call waits behind at most this
 * many of them.
 */
export const lookUpsAtOnce = 3;

// Below the rows that one tail check reads, so that each check gets past at least one commit; see changes.ts.
const maxGroupMax = 4096;

/** Options with every default filled in, and the URL taken apart. */
export type ParsedOptions = Required<Omit<ChatStoreOptions, 'url'>> & {
  readonly target:
    | { readonly engine: 'sqlite'; readonly path: string }
    | { readonly engine: 'postgres'; readonly url: string };
};

/** @throws {ChatStoreError} `invalid_options`, naming what is wrong but not the URL, which may hold a password */
export function parseOptions(options: ChatStoreOptions): ParsedOptions {
  const { url, ...given } = options;
  const numbers = { ...defaults };
  for (const [name, value] of Object.entries(given)) {
    if (!(name in defaults)) throw invalid(`there is no option ${name}`);
    if (value === undefined) continue;
    if (!Number.isSafeInteger(value) || value < 1)
      throw invalid(`${name} must be a whole number above 0`);
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
  return { ...numbers, target: parseUrl(url) };
}

function parseUrl(url: string): ParsedOptions['target'] {
  if (url.startsWith('sqlite:')) {
    const path = url.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, '');
    if (path === '' || path.startsWith(':'))
      throw invalid('the url must be sqlite:<path of a file>');
    return { engine: 'sqlite', path };
  }
  if (/^postgres(ql)?:\/\//.test(url) && URL.canParse(url)) return { engine: 'postgres', url };
  throw invalid('the url must be sqlite:<path> or postgres://user:password@host:port/database');
}

const invalid = (message: string) => new ChatStoreError('invalid_options', message);
