import { keyLimits, keyTable, parseKey, type ParsedKey } from '@openclaw/key-schema';
import { RedisClientError, type RedisCommand, type RedisServerLink } from '@openclaw/redis-client';

export interface KeyFacts extends ParsedKey {
  readonly name: string;
  readonly type: string;
  readonly pttlMs: number | null;
  readonly members: number | null;
  /** The length of a string, or the memory that a key of another type uses. Null when Redis does not report it. */
  readonly bytes: number | null;
  /** For a presence hash, an array of its fields' values. Null when the value was not read. */
  readonly value: string | readonly (string | null)[] | null;
}

/**
 * Longer values are not read, because the read would cost Redis and the network more than the check
 * is worth.
 */
const readBytesMax = 64 * 1024;

const sizeCommands: Readonly<Record<string, string>> = {
  hash: 'HLEN',
  set: 'SCARD',
  zset: 'ZCARD',
};

export const presenceFields = ['agentId', 'status', 'lastSeen'] as const;

export interface Page {
  readonly facts: readonly KeyFacts[];
  readonly unknown: readonly string[];
  readonly denied: ReadonlySet<string>;
}

/** Costs three round trips. Omits keys that no longer exist. */
export async function readPage(
  server: RedisServerLink,
  names: readonly string[],
  prefix: string,
): Promise<Page> {
  const denied = new Set<string>();
  const unknown: string[] = [];
  const keys: { name: string; parsed: ParsedKey }[] = [];
  for (const name of names) {
    const parsed = parseKey(name, prefix);
    if (parsed) keys.push({ name, parsed });
    else unknown.push(name);
  }

  const basics = await batch(
    server,
    keys.flatMap(({ name }): RedisCommand[] => [
      ['TYPE', name],
      ['PTTL', name],
    ]),
    denied,
  );
  const alive = keys.flatMap(({ name, parsed }, at) => {
    const type = basics[2 * at];
    const pttlMs = Number(basics[2 * at + 1] ?? -2);
    // The TTL -2 means that the key no longer exists.
    return typeof type !== 'string' || type === 'none' || pttlMs === -2
      ? []
      : [{ name, ...parsed, type, pttlMs: pttlMs === -1 ? null : pttlMs }];
  });

  const sizes = await batch(
    server,
    alive.flatMap(({ name, type }): RedisCommand[] => [
      type === 'string' ? ['STRLEN', name] : ['MEMORY', 'USAGE', name],
      type in sizeCommands ? [sizeCommands[type] as string, name] : ['EXISTS', name],
    ]),
    denied,
  );
  const sized = alive.map((key, at) => ({
    ...key,
    bytes: numberOf(sizes[2 * at]),
    members: key.type in sizeCommands ? numberOf(sizes[2 * at + 1]) : null,
  }));

  const readable = sized.filter(
    ({ kind, type, bytes }) =>
      type === keyTable[kind].redisType &&
      (type === 'string' || kind === 'presence') &&
      (bytes ?? 0) <= Math.min(readBytesMax, keyLimits[kind].maxBytes ?? readBytesMax),
  );
  const values = await batch(
    server,
    readable.map(({ name, type }) =>
      type === 'string' ? ['GET', name] : ['HMGET', name, ...presenceFields],
    ),
    denied,
  );
  const valueOf = new Map(readable.map(({ name }, at) => [name, values[at] ?? null]));
  const facts = sized.map((key) => ({
    ...key,
    value: (valueOf.get(key.name) ?? null) as KeyFacts['value'],
  }));
  return { facts, unknown, denied };
}

function numberOf(reply: unknown): number | null {
  return typeof reply === 'number' ? reply : null;
}

/**
 * The result of a refused command is null. Redis refuses a command, for instance, when the key has changed its type, or
 * when the key's slot has moved. Rejects when the connection is lost.
 */
export async function batch(
  server: RedisServerLink,
  commands: readonly RedisCommand[],
  denied: Set<string> = new Set(),
): Promise<unknown[]> {
  const replies = await server.batch(commands);
  return replies.map((reply, at) => {
    if (!(reply instanceof RedisClientError)) return reply;
    if (reply.message.startsWith('NOPERM')) {
      denied.add(String(commands[at]?.[0]).toUpperCase());
      return null;
    }
    if (reply.code === 'rejected' || /^(MOVED|ASK|TRYAGAIN)\b/.test(reply.message)) return null;
    throw reply;
  });
}
