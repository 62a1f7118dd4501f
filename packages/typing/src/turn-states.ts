import { checkId, createKeySchema, type TurnRecord } from '@openclaw/key-schema';
import {
  defineScript,
  toBatches,
  toUnavailable,
  withFallback,
  type RedisClient,
  type ScriptCall,
} from '@openclaw/redis-client';
import type { TypingDeps, TypingPlace } from './create-typing.ts';
import { TypingError } from './errors.ts';
import { turnEndLua, turnListLua, turnSetLua } from './lua.gen.ts';
import { parseTurnOptions, type TurnStateOptions } from './options.ts';
import { checkTyper, encodeTyper, type CheckedTyper, type Typer } from './typing.ts';

const scripts = {
  set: defineScript('turn.set', turnSetLua),
  end: defineScript('turn.end', turnEndLua),
  list: defineScript('turn.list', turnListLua),
} as const;

const listMax = 500;
const batchMax = 200;

export interface TurnState extends TurnRecord {
  readonly agentId: string;
  /** Null: outside of threads. */
  readonly threadId: string | null;
  /** The end of the lease, in Redis time; without Redis, in this process' time. */
  readonly untilMs: number;
}

/**
 * The current turns of agents. Each turn has a lease, and setting the same turn again renews the lease. Without Redis,
 * this process uses its own data.
 */
export interface TurnStates {
  /** `changed` is false if the agent repeats its current turn. */
  set(
    channelId: string,
    agentId: string,
    threadId: string | null,
    turn: TurnRecord,
  ): Promise<{ untilMs: number; changed: boolean; degraded: boolean }>;
  /** `changed` is true if a lease was running. `untilMs` is the present time. */
  end(
    channelId: string,
    agentId: string,
    threadId: string | null,
  ): Promise<{ untilMs: number; changed: boolean; degraded: boolean }>;
  /** At most 500 turns with a running lease, in descending order of their ends. */
  list(channelId: string): Promise<{ turns: TurnState[]; degraded: boolean }>;
  /** For a {@link TypingWatch}: the time until each lease ends; 0 without a lease. */
  remainingMs(typers: readonly Typer[]): Promise<number[]>;
  /** The places of the agent's turns that were set through this process and may still run, in the order of their ends. */
  placesOf(agentId: string): TypingPlace[];
  /**
   * The agent's running turn that was begun or changed last through this process, in any channel. `sinceMs` is the time
   * of that change. Null without a running turn.
   */
  latestOf(agentId: string): (TurnRecord & { readonly sinceMs: number }) | null;
  /** Later calls reject with `closed`. */
  close(): Promise<void>;
}

/**
 * Does not wait for Redis. After an outage, a renewal writes the turn to Redis.
 * @throws {TypingError} `invalid_options`
 */
export function createTurnStates(
  deps: TypingDeps = {},
  options: TurnStateOptions = {},
): TurnStates {
  const { leaseMs, maxTurns } = parseTurnOptions(options);
  const { clock } = options;
  const { redis, keys = createKeySchema() } = deps;
  const local = createLocalTurns(maxTurns);
  const now = () => Math.floor((clock ?? Date.now)());
  let closed = false;

  const toCall = (
    script: ScriptCall['script'],
    channelId: string,
    args: readonly (string | number)[],
  ): ScriptCall => ({
    script,
    keys: [keys.turns(channelId), keys.turnStates(channelId)],
    args: [clock ? now() : '', ...args],
  });
  const checkOpen = () => {
    if (closed) throw new TypingError('closed', 'the turn states were closed');
  };

  async function ask<T>(
    fromRedis: (client: RedisClient) => Promise<T>,
    fromLocal: () => T,
  ): Promise<{ value: T; degraded: boolean }> {
    if (!redis) return { value: fromLocal(), degraded: false };
    return withFallback(
      redis,
      () =>
        fromRedis(redis).catch((error: unknown) => {
          throw toUnavailable(TypingError, error);
        }),
      fromLocal,
      (error) => error instanceof TypingError && error.code === 'unavailable',
    );
  }

  function turnsOf(reply: unknown): { nowMs: number; turns: TurnState[] } {
    const [nowMs, ...rest] = reply as [number, ...(string | number)[]];
    const turns: TurnState[] = [];
    for (let at = 0; at < rest.length; at += 3) {
      const [agentId = '', threadId = null] = String(rest[at]).split(':');
      const record = JSON.parse(String(rest[at + 2])) as TurnRecord;
      turns.push({ agentId, threadId, ...record, untilMs: Number(rest[at + 1]) });
    }
    return { nowMs, turns };
  }

  return {
    async set(channelId, agentId, threadId, turn) {
      checkOpen();
      const typer = checkTyper({ channelId, agentId, threadId });
      const { state, label, queueDepth } = turn;
      const record: TurnRecord = { state, label, queueDepth };
      const own = local.set(typer, record, now(), leaseMs);
      const { value, degraded } = await ask(
        async (client) => {
          const args = [leaseMs, maxTurns, encodeTyper(typer), JSON.stringify(record)];
          const reply = await client.run(toCall(scripts.set, channelId, args));
          const [untilMs, changed] = reply as [number, number];
          return { untilMs, changed: changed === 1 };
        },
        () => own,
      );
      return { ...value, degraded };
    },
    async end(channelId, agentId, threadId) {
      checkOpen();
      const typer = checkTyper({ channelId, agentId, threadId });
      const own = { untilMs: now(), changed: local.end(typer, now()) };
      const { value, degraded } = await ask(
        async (client) => {
          const reply = await client.run(toCall(scripts.end, channelId, [encodeTyper(typer)]));
          const [untilMs, changed] = reply as [number, number];
          return { untilMs, changed: changed === 1 };
        },
        () => own,
      );
      return { ...value, degraded };
    },
    async list(channelId) {
      checkOpen();
      checkId(channelId);
      const { value: turns, degraded } = await ask(
        async (client) =>
          turnsOf(await client.run(toCall(scripts.list, channelId, [listMax]))).turns,
        () => local.list(channelId, now()),
      );
      return { turns, degraded };
    },
    async remainingMs(typers) {
      checkOpen();
      const checked = typers.map(checkTyper);
      const remaining = checked.map(() => 0);
      if (checked.length === 0) return remaining;
      const { value } = await ask(
        async (client) => {
          const batches = toBatches(checked, batchMax);
          const replies = await client.pipeline(
            batches.map(({ channelId, entries }) =>
              toCall(scripts.list, channelId, [listMax, ...entries.map(encodeTyper)]),
            ),
          );
          replies.forEach((reply, at) => {
            if (reply instanceof Error) throw reply;
            const { nowMs, turns } = turnsOf(reply);
            const until = new Map(turns.map((turn) => [encodeTyper(turn), turn.untilMs]));
            const { entries = [], positions = [] } = batches[at] ?? {};
            entries.forEach((typer, index) => {
              const untilMs = until.get(encodeTyper(typer)) ?? nowMs;
              remaining[positions[index] ?? 0] = untilMs - nowMs;
            });
          });
          return remaining;
        },
        () => checked.map((typer) => local.remainingMs(typer, now())),
      );
      return value;
    },
    placesOf: (agentId) => local.placesOf(agentId, now()),
    latestOf: (agentId) => local.latestOf(agentId, now()),
    async close() {
      closed = true;
    },
  };
}

interface Entry extends CheckedTyper {
  readonly turn: TurnRecord;
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** Keeps the turns in the order in which they end. */
function createLocalTurns(maxTurns: number) {
  const entries = new Map<string, Entry>();
  const byChannel = new Map<string, Map<string, Entry>>();
  const byAgent = new Map<string, Map<string, Entry>>();
  const keyOf = (typer: CheckedTyper) => `${typer.channelId}:${encodeTyper(typer)}`;

  function drop(index: Map<string, Map<string, Entry>>, outer: string, key: string): void {
    const group = index.get(outer);
    group?.delete(key);
    if (group?.size === 0) index.delete(outer);
  }

  function add(index: Map<string, Map<string, Entry>>, outer: string, key: string, entry: Entry) {
    const group = index.get(outer) ?? new Map<string, Entry>();
    index.set(outer, group.set(key, entry));
  }

  function remove(typer: CheckedTyper): void {
    const key = keyOf(typer);
    entries.delete(key);
    drop(byChannel, typer.channelId, key);
    drop(byAgent, typer.agentId, key);
  }

  const running = (group: Map<string, Entry> | undefined, nowMs: number) =>
    [...(group?.values() ?? [])].filter(({ untilMs }) => untilMs > nowMs);

  return {
    set(typer: CheckedTyper, turn: TurnRecord, nowMs: number, leaseMs: number) {
      const key = keyOf(typer);
      const before = entries.get(key);
      const isSame =
        before !== undefined &&
        before.untilMs > nowMs &&
        JSON.stringify(before.turn) === JSON.stringify(turn);
      const sinceMs = isSame ? before.sinceMs : nowMs;
      const entry = { ...typer, turn, sinceMs, untilMs: nowMs + leaseMs };
      entries.delete(key);
      entries.set(key, entry);
      add(byChannel, typer.channelId, key, entry);
      add(byAgent, typer.agentId, key, entry);
      for (const oldest of entries.values()) {
        if (oldest.untilMs > nowMs && entries.size <= maxTurns) break;
        remove(oldest);
      }
      return { untilMs: entry.untilMs, changed: !isSame };
    },
    end(typer: CheckedTyper, nowMs: number): boolean {
      const before = entries.get(keyOf(typer));
      remove(typer);
      return before !== undefined && before.untilMs > nowMs;
    },
    list: (channelId: string, nowMs: number): TurnState[] =>
      running(byChannel.get(channelId), nowMs)
        .sort((one, other) => other.untilMs - one.untilMs)
        .slice(0, listMax)
        .map(({ agentId, threadId, turn, untilMs }) => ({ agentId, threadId, ...turn, untilMs })),
    placesOf: (agentId: string, nowMs: number): TypingPlace[] =>
      running(byAgent.get(agentId), nowMs)
        .sort((one, other) => one.untilMs - other.untilMs)
        .map(({ channelId, threadId }) => ({ channelId, threadId })),
    latestOf(agentId: string, nowMs: number) {
      const newest = running(byAgent.get(agentId), nowMs)
        .sort((one, other) => one.sinceMs - other.sinceMs)
        .at(-1);
      return newest ? { ...newest.turn, sinceMs: newest.sinceMs } : null;
    },
    remainingMs: (typer: CheckedTyper, nowMs: number): number =>
      Math.max(0, (entries.get(keyOf(typer))?.untilMs ?? 0) - nowMs),
  };
}
