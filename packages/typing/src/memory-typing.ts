import { checkId } from '@openclaw/key-schema';
import { TypingError } from './errors.ts';
import { parseOptions, type TypingOptions } from './options.ts';
import { checkTyper, type CheckedTyper, encodeTyper, listMax, type Typing } from './typing.ts';

/**
 * Typing in memory, with the results of {@link createRedisTyping}. Keeps at most `maxTypers` entries, one for each
 * agent in a channel or thread.
 * @throws {TypingError} `invalid_options`
 */
export function createMemoryTyping(options: TypingOptions = {}): Typing {
  const { ttlMs, maxTypers } = parseOptions(options);
  const { clock = Date.now } = options;
  const typists = createTypists(ttlMs, maxTypers);
  let closed = false;

  async function run<T>(work: (nowMs: number) => T): Promise<T> {
    if (closed) throw new TypingError('closed', 'typing was closed');
    return work(Math.floor(clock()));
  }

  return {
    start: (channelId, agentId, threadId) =>
      run((nowMs) => typists.start(checkTyper({ channelId, agentId, threadId }), nowMs)),
    stop: (channelId, agentId, threadId) =>
      run((nowMs) => typists.stop(checkTyper({ channelId, agentId, threadId }), nowMs)),
    list: (channelId, threadId) =>
      run((nowMs) => typists.list(checkId(channelId), checkPlace(threadId), nowMs)),
    lastStartMs: (channelId, agentId, threadId) =>
      run((nowMs) => typists.lastStartMs(checkTyper({ channelId, agentId, threadId }), nowMs)),
    remainingMs: (typers) =>
      run((nowMs) => typers.map((typer) => typists.remainingMs(checkTyper(typer), nowMs))),
    async close() {
      closed = true;
    },
  };
}

/** Undefined stands for the whole channel. */
export function checkPlace(threadId: string | null | undefined): string | null | undefined {
  return typeof threadId === 'string' ? checkId(threadId) : threadId;
}

interface Entry extends CheckedTyper {
  lastMs: number;
}

/** The caller checks the ids. */
export function createTypists(ttlMs: number, maxTypers: number) {
  /** In the order of the last starts, so expired entries come first. */
  const entries = new Map<string, Entry>();
  const byChannel = new Map<string, Map<string, Entry>>();
  const byAgent = new Map<string, Map<string, Entry>>();
  const keyOf = (typer: CheckedTyper) => `${typer.channelId}:${encodeTyper(typer)}`;
  const isLive = ({ lastMs }: Entry, nowMs: number) => lastMs > nowMs - ttlMs;

  function add(index: Map<string, Map<string, Entry>>, outer: string, inner: string, entry: Entry) {
    const group = index.get(outer) ?? new Map<string, Entry>();
    index.set(outer, group.set(inner, entry));
  }

  function drop(index: Map<string, Map<string, Entry>>, outer: string, inner: string) {
    const group = index.get(outer);
    group?.delete(inner);
    if (group?.size === 0) index.delete(outer);
  }

  function remove(typer: CheckedTyper): void {
    entries.delete(keyOf(typer));
    drop(byChannel, typer.channelId, keyOf(typer));
    drop(byAgent, typer.agentId, keyOf(typer));
  }

  function removeExpired(nowMs: number): void {
    for (const entry of entries.values()) {
      if (isLive(entry, nowMs) && entries.size <= maxTypers) return;
      remove(entry);
    }
  }

  const find = (typer: CheckedTyper, nowMs: number) => {
    const entry = entries.get(keyOf(typer));
    return entry && isLive(entry, nowMs) ? entry : null;
  };

  const liveIn = (group: Map<string, Entry> | undefined, nowMs: number) =>
    [...(group?.values() ?? [])].filter((entry) => isLive(entry, nowMs));

  return {
    get size() {
      return entries.size;
    },
    start(typer: CheckedTyper, nowMs: number): boolean {
      const changed = find(typer, nowMs) === null;
      const entry = { ...typer, lastMs: nowMs };
      entries.delete(keyOf(typer));
      entries.set(keyOf(typer), entry);
      add(byChannel, typer.channelId, keyOf(typer), entry);
      add(byAgent, typer.agentId, keyOf(typer), entry);
      removeExpired(nowMs);
      return changed;
    },
    stop(typer: CheckedTyper, nowMs: number): boolean {
      const changed = find(typer, nowMs) !== null;
      remove(typer);
      return changed;
    },
    list(channelId: string, threadId: string | null | undefined, nowMs: number): string[] {
      const latestFirst = liveIn(byChannel.get(channelId), nowMs)
        .filter((entry) => threadId === undefined || entry.threadId === threadId)
        .sort((a, b) => b.lastMs - a.lastMs || (keyOf(a) < keyOf(b) ? 1 : -1));
      const agents = new Set(latestFirst.map(({ agentId }) => agentId));
      return [...agents].slice(0, listMax).reverse();
    },
    typersOf: (agentId: string, nowMs: number): CheckedTyper[] =>
      liveIn(byAgent.get(agentId), nowMs),
    lastStartMs: (typer: CheckedTyper, nowMs: number): number | null =>
      find(typer, nowMs)?.lastMs ?? null,
    remainingMs(typer: CheckedTyper, nowMs: number): number {
      const entry = find(typer, nowMs);
      return entry ? entry.lastMs + ttlMs - nowMs : 0;
    },
  };
}
