import { checkId } from '@openclaw/key-schema';
import { TypingError } from './errors.ts';
import { parseOptions, type TypingOptions } from './options.ts';
import { checkTyper, listMax, type Typer, type Typing } from './typing.ts';

/**
 * Typing within one process, without Redis; at most `maxTypers` agents. Its results equal those of {@link
 * createRedisTyping}.
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
    start: (channelId, agentId) =>
      run((nowMs) => typists.start(checkTyper({ channelId, agentId }), nowMs)),
    stop: (channelId, agentId) =>
      run((nowMs) => typists.stop(checkTyper({ channelId, agentId }), nowMs)),
    list: (channelId) => run((nowMs) => typists.list(checkId(channelId), nowMs)),
    lastStartMs: (channelId, agentId) =>
      run((nowMs) => typists.lastStartMs(checkTyper({ channelId, agentId }), nowMs)),
    remainingMs: (typers) =>
      run((nowMs) => typers.map((typer) => typists.remainingMs(checkTyper(typer), nowMs))),
    async close() {
      closed = true;
    },
  };
}

interface Entry extends Typer {
  lastMs: number;
}

/** The agents that one process knows to be typing. Has no clock and no timers; the caller checks the ids. */
export function createTypists(ttlMs: number, maxTypers: number) {
  /** In the order of the last starts, so that expired entries come first. */
  const entries = new Map<string, Entry>();
  const byChannel = new Map<string, Map<string, Entry>>();
  const byAgent = new Map<string, Map<string, Entry>>();
  const keyOf = ({ channelId, agentId }: Typer) => `${channelId}:${agentId}`;
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

  function remove(typer: Typer): void {
    entries.delete(keyOf(typer));
    drop(byChannel, typer.channelId, typer.agentId);
    drop(byAgent, typer.agentId, typer.channelId);
  }

  function removeExpired(nowMs: number): void {
    for (const entry of entries.values()) {
      if (isLive(entry, nowMs) && entries.size <= maxTypers) return;
      remove(entry);
    }
  }

  const find = (typer: Typer, nowMs: number) => {
    const entry = entries.get(keyOf(typer));
    return entry && isLive(entry, nowMs) ? entry : null;
  };

  const liveIn = (group: Map<string, Entry> | undefined, nowMs: number) =>
    [...(group?.values() ?? [])].filter((entry) => isLive(entry, nowMs));

  return {
    get size() {
      return entries.size;
    },
    start(typer: Typer, nowMs: number): boolean {
      const changed = find(typer, nowMs) === null;
      const entry = { ...typer, lastMs: nowMs };
      entries.delete(keyOf(typer));
      entries.set(keyOf(typer), entry);
      add(byChannel, typer.channelId, typer.agentId, entry);
      add(byAgent, typer.agentId, typer.channelId, entry);
      removeExpired(nowMs);
      return changed;
    },
    stop(typer: Typer, nowMs: number): boolean {
      const changed = find(typer, nowMs) !== null;
      remove(typer);
      return changed;
    },
    list: (channelId: string, nowMs: number): string[] =>
      liveIn(byChannel.get(channelId), nowMs)
        .sort((a, b) => a.lastMs - b.lastMs || (a.agentId < b.agentId ? -1 : 1))
        .slice(0, listMax)
        .map(({ agentId }) => agentId),
    channelIdsOf: (agentId: string, nowMs: number): string[] =>
      liveIn(byAgent.get(agentId), nowMs).map(({ channelId }) => channelId),
    lastStartMs: (typer: Typer, nowMs: number): number | null => find(typer, nowMs)?.lastMs ?? null,
    remainingMs(typer: Typer, nowMs: number): number {
      const entry = find(typer, nowMs);
      return entry ? entry.lastMs + ttlMs - nowMs : 0;
    },
  };
}
