import { afterAll } from '@jest/globals';

type Closable =
  AsyncDisposable | { close(): unknown } | { stop(): unknown } | { remove(): unknown };

const opened: Closable[] = [];
afterAll(async () => {
  for (let last = opened.pop(); last; last = opened.pop()) await close(last);
}, 60_000);

/**
 * Closes `part` after the last test of this file. Parts are closed in the reverse order of the calls. Returns `part`.
 */
export function closeAfterAll<T extends Closable>(part: T): T {
  opened.push(part);
  return part;
}

function close(part: Closable): unknown {
  if (Symbol.asyncDispose in part) return part[Symbol.asyncDispose]();
  if ('close' in part) return part.close();
  return 'stop' in part ? part.stop() : part.remove();
}
