import { suiteScope } from '@openclaw/test-support/scopes';

type Closable =
  AsyncDisposable | { close(): unknown } | { stop(): unknown } | { remove(): unknown };

const suite = suiteScope();

/** Closes `part` after the last test of this file, before parts that were given earlier. Returns `part`. */
export function closeAfterAll<T extends Closable>(part: T): T {
  suite.defer(() => close(part));
  return part;
}

function close(part: Closable): unknown {
  if (Symbol.asyncDispose in part) return part[Symbol.asyncDispose]();
  if ('close' in part) return part.close();
  return 'stop' in part ? part.stop() : part.remove();
}
