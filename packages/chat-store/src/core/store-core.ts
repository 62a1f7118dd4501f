import type { ParamsOf } from '@openclaw/protocol';
import type {
  Actor,
  Command,
  Outcome,
  ReadJsonOutcome,
  ReadMethod,
  ReadOutcome,
} from '../commands.ts';
import { ChatStoreError } from '../errors.ts';
import {
  readAccess,
  readDirectChannels,
  type DirectChannel,
  readHeads,
  readRecentHeads,
  type Access,
} from './access.ts';
import { recordAgents, type AgentRecord } from './agents.ts';
import { readChanges, type Changes } from './changes.ts';
import type { Mark } from './mark.ts';
import type { Engine } from './engine.ts';
import { changeEpoch, readEpoch } from './epoch.ts';
import { beat, readHubs, readRedislessHubs, type HubBeat } from './hubs.ts';
import { sweepRedactions } from './redactions.ts';
import { readLogPage, type LogPage } from './read/log.ts';
import { read, readJson } from './read/read.ts';
import { runGroup, type ReportFault } from './run-group.ts';
import { sweepDeleted } from './sweep.ts';
import { isRevoked, revoke, type RevocationTarget, type TokenClaims } from './tokens.ts';

/** The store without its queue. It runs on the main thread for PostgreSQL and in worker threads for SQLite. */
export interface StoreCore {
  runGroup(commands: readonly Command[]): Promise<Outcome[]>;
  read<M extends ReadMethod>(actor: Actor, method: M, params: ParamsOf<M>): Promise<ReadOutcome<M>>;
  /**
   * Like `read`, but returns JSON, for answers that are only forwarded: no row is parsed or serialized again. Its rows
   * take at most `maxBytes`, by default the protocol's limit of an answer.
   */
  readJson<M extends ReadMethod>(
    actor: Actor,
    method: M,
    params: ParamsOf<M>,
    maxBytes?: number,
  ): Promise<ReadJsonOutcome>;
  access(agentId: string, channelIds: readonly string[]): Promise<Map<string, Access>>;
  logPage(channelId: string, after: number, limit: number, maxBytes: number): Promise<LogPage>;
  /**
   * The heads of these channels, deleted ones too. A channel that never existed is absent. No channel's row is ever
   * removed. So if a channel that the caller knows is absent, the caller has seen a newer state of the database.
   */
  heads(channelIds: readonly string[]): Promise<Map<string, number>>;
  /** The heads of the channels in the newest commits, newest first, deleted ones too; at most `limit`. */
  recentHeads(limit: number): Promise<Map<string, number>>;
  /** A page of the agent's direct channels, ordered by id: those after `after`, or the first page. */
  directChannels(agentId: string, limit: number, after?: string): Promise<DirectChannel[]>;
  /** The commits since the mark, at most some thousand; `hasMore` is true when there are more. */
  changes(sinceMark: Mark | null): Promise<Changes>;
  beat(hubId: string, isCutOff?: boolean): Promise<void>;
  redislessHubs(hubIds: readonly string[]): Promise<Set<string>>;
  /** The hubs that have beaten in the last minute, latest beat first, at most 100. */
  hubs(): Promise<HubBeat[]>;
  /** Records agents as known, each named once. One statement; at most some hundred agents. */
  recordAgents(agents: readonly AgentRecord[]): Promise<void>;
  revoke(target: RevocationTarget): Promise<void>;
  isRevoked(token: TokenClaims): Promise<boolean>;
  /** Removes some rows of deleted messages and channels; returns whether there may be more. */
  sweep(): Promise<boolean>;
  epoch(): Promise<string>;
  changeEpoch(expected: string): Promise<string>;
  close(): Promise<void>;
}

/**
 * Creates the core on an engine. Every method rejects only with ChatStoreError: an error of the engine, or `internal`
 * for an error that is reported as a bug.
 */
export function createStoreCore(engine: Engine, report: ReportFault): StoreCore {
  const withErrorMapping =
    <A extends readonly unknown[], R>(doing: string, call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      try {
        return await call(...args);
      } catch (error) {
        const failure = engine.failureOf(error);
        if (failure instanceof ChatStoreError) throw failure;
        if (failure === 'again')
          throw new ChatStoreError(
            'unavailable',
            'the write conflicted with other transactions too often',
          );
        report(error, doing);
        throw new ChatStoreError('internal', 'a bug in the chat store', { cause: error });
      }
    };
  const core: StoreCore = {
    runGroup: (commands) => runGroup(engine, commands, report),
    read: (actor, method, params) => read(engine, actor, method, params),
    readJson: (actor, method, params, maxBytes) =>
      readJson(engine, actor, method, params, maxBytes),
    access: (agentId, channelIds) => readAccess(engine.db, agentId, channelIds),
    logPage: (channelId, after, limit, maxBytes) =>
      readLogPage(engine.db, channelId, after, limit, maxBytes),
    heads: (channelIds) => readHeads(engine.db, channelIds),
    recentHeads: (limit) => readRecentHeads(engine.db, limit),
    directChannels: (agentId, limit, after) => readDirectChannels(engine.db, agentId, limit, after),
    changes: (sinceMark) => readChanges(engine, sinceMark),
    beat: (hubId, isCutOff) => beat(engine, hubId, isCutOff),
    redislessHubs: (hubIds) => readRedislessHubs(engine, hubIds),
    hubs: () => readHubs(engine),
    recordAgents: (agents) => recordAgents(engine, agents),
    revoke: (target) => revoke(engine, target),
    isRevoked: (token) => isRevoked(engine, token),
    sweep: async () => {
      const isMore = await sweepRedactions(engine);
      return (await sweepDeleted(engine)) || isMore;
    },
    epoch: () => readEpoch(engine),
    changeEpoch: (expected) => changeEpoch(engine, expected),
    close: () => engine.close(),
  };
  const told = Object.entries(core).map(([name, call]) => [
    name,
    withErrorMapping(name, call as (...args: readonly unknown[]) => Promise<unknown>),
  ]);
  return Object.fromEntries(told) as StoreCore;
}
