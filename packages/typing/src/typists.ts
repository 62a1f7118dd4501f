import { listMax, type Typer } from './typing.ts';

interface Entry extends Typer {
  lastMs: number;
}

/** Who types as far as one process knows, without clock, timers or waiting. Ids are the caller's to check. */
export function createTypists(ttlMs: number, maxTypers: number) {
  // Whoever typed last stands last, so what has ended stands first.
  const entries = new Map<string, Entry>();
  const channels = new Map<string, Map<string, Entry>>();
  const agents = new Map<string, Map<string, Entry>>();
  const nameOf = ({ channelId, agentId }: Typer) => `${channelId}:${agentId}`;

  function add(index: Map<string, Map<string, Entry>>, outer: string, inner: string, entry: Entry) {
    const some = index.get(outer) ?? new Map<string, Entry>();
    index.set(outer, some.set(inner, entry));
  }

  function drop(index: Map<string, Map<string, Entry>>, outer: string, inner: string) {
    const some = index.get(outer);
    some?.delete(inner);
    if (some?.size === 0) index.delete(outer);
  }

  function remove(entry: Typer): void {
    entries.delete(nameOf(entry));
    drop(channels, entry.channelId, entry.agentId);
    drop(agents, entry.agentId, entry.channelId);
  }

  function tidy(nowMs: number): void {
    for (const entry of entries.values()) {
      if (entry.lastMs > nowMs - ttlMs && entries.size <= maxTypers) return;
      remove(entry);
    }
  }

  const find = (typer: Typer, nowMs: number) => {
    const entry = entries.get(nameOf(typer));
    return entry && entry.lastMs > nowMs - ttlMs ? entry : null;
  };

  return {
    get size() {
      return entries.size;
    },
    start(typer: Typer, nowMs: number): boolean {
      const changed = find(typer, nowMs) === null;
      const entry = { ...typer, lastMs: nowMs };
      entries.delete(nameOf(typer));
      entries.set(nameOf(typer), entry);
      add(channels, typer.channelId, typer.agentId, entry);
      add(agents, typer.agentId, typer.channelId, entry);
      tidy(nowMs);
      return changed;
    },
    stop(typer: Typer, nowMs: number): boolean {
      const changed = find(typer, nowMs) !== null;
      remove(typer);
      return changed;
    },
    list(channelId: string, nowMs: number): string[] {
      return [...(channels.get(channelId)?.values() ?? [])]
        .filter(({ lastMs }) => lastMs > nowMs - ttlMs)
        .sort((a, b) => a.lastMs - b.lastMs || (a.agentId < b.agentId ? -1 : 1))
        .slice(0, listMax)
        .map(({ agentId }) => agentId);
    },
    channelIdsOf: (agentId: string, nowMs: number): string[] =>
      [...(agents.get(agentId)?.values() ?? [])]
        .filter(({ lastMs }) => lastMs > nowMs - ttlMs)
        .map(({ channelId }) => channelId),
    lastStartMs: (typer: Typer, nowMs: number): number | null => find(typer, nowMs)?.lastMs ?? null,
    remainingMs(typer: Typer, nowMs: number): number {
      const entry = find(typer, nowMs);
      return entry ? entry.lastMs + ttlMs - nowMs : 0;
    },
  };
}
