import { RedisClientError } from './errors.ts';
import type { RedisCommand } from './transport.ts';

// All calls share one connection, and Redis answers it in order.
const blocking = new Set(
  'BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN WAIT WAITAOF'.split(' '),
);
const stateful = new Set(
  (
    'ASKING AUTH DISCARD EXEC HELLO MONITOR MULTI PSUBSCRIBE PSYNC PUNSUBSCRIBE QUIT READONLY READWRITE RESET SELECT ' +
    'SSUBSCRIBE SUBSCRIBE SUNSUBSCRIBE SYNC UNSUBSCRIBE UNWATCH WATCH'
  ).split(' '),
);
const statefulSubcommands = new Set(['CLIENT REPLY', 'CLIENT TRACKING', 'SCRIPT DEBUG']);

/** Why the command may not use the shared connection; null for every other command. Costs no round trip. */
export function unsupportedOf([name, ...args]: RedisCommand): RedisClientError | null {
  const upper = name.toUpperCase();
  const isRead = upper === 'XREAD' || upper === 'XREADGROUP';
  if (blocking.has(upper) || (isRead && hasBlock(args))) {
    return unsupported(
      `${upper}${isRead ? ' with BLOCK' : ''}`,
      'every other call would wait for it',
    );
  }
  const long = `${upper} ${String(args[0]).toUpperCase()}`;
  if (stateful.has(upper))
    return unsupported(upper, 'it changes the connection for every other call');
  if (statefulSubcommands.has(long))
    return unsupported(long, 'it changes the connection for every other call');
  return null;
}

/** True when an option BLOCK stands before the names of the streams. */
function hasBlock(args: readonly (string | number)[]): boolean {
  const words = args.map((arg) => String(arg).toUpperCase());
  const streams = words.indexOf('STREAMS');
  // The name of a group or a consumer may be "block": the option is followed by a number.
  return words
    .slice(0, streams < 0 ? undefined : streams)
    .some((word, index, all) => word === 'BLOCK' && /^\d+$/.test(all[index + 1] ?? ''));
}

function unsupported(command: string, why: string): RedisClientError {
  return new RedisClientError(
    'unsupported',
    `${command} is not supported on the shared connection: ${why}. Use a connection of its own`,
  );
}
