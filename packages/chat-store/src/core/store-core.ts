import type { Command } from '../commands.ts';
import { ChatStoreError } from '../errors.ts';
import { readAccess, readDirectChannels, readHeads, readRecentHeads } from './access.ts';
import { giveAgentOrder, readAgentOrders, sweepAgentOrders } from './agent-orders.ts';
import { isKnownAgent, recordAgents } from './agents.ts';
import { readAudit, recordAudit, sweepAudit } from './audit.ts';
import { readChanges } from './changes.ts';
import { findDue } from './due.ts';
import type { Engine } from './engine.ts';
import { eraseSome, type Erasure, type ErasePlace } from './erase.ts';
import { changeEpoch, readEpoch } from './epoch.ts';
import { readFleet, readFleetAgent } from './fleet.ts';
import { readFreezes } from './freezes.ts';
import { recordHubAgents } from './hub-agents.ts';
import type { GroupPolicy } from './group-state.ts';
import { beat, readHubs, readRedislessHubs } from './hubs.ts';
import { readInboxMarks } from './inbox-marks.ts';
import { sweepInboxes, sweepInboxesOfAll } from './inbox-sweep.ts';
import { newerSchemaBehind } from './newer-schema.ts';
import { readMinutes, recordMinutes } from './operations-minutes.ts';
import { sweepRedactions } from './redactions.ts';
import { feedSearch, type SearchFed } from './search/feed.ts';
import { noRetention, sweepRetention, type Retention, type Swept } from './retention.ts';
import { readLogPage } from './read/log.ts';
import { read, readJson } from './read/read.ts';
import { runGroup, type ReportFault } from './run-group.ts';
import { sweepDeleted } from './sweep.ts';
import { sweepStreams } from './stream-sweep.ts';
import { checkpointStreams, keepStreams, readStream, readStreamAuthors } from './streams.ts';
import {
  isRevoked,
  readMinted,
  readTime,
  recordMinted,
  recordTokenUses,
  revoke,
  sweepTokens,
} from './tokens.ts';

/** The store without its queue. Runs on the main thread for PostgreSQL, and in worker threads for SQLite. */
export type StoreCore = ReturnType<typeof createStoreCore>;

/**
 * Every method rejects only with ChatStoreError: an error of the engine, or `internal` for a bug. `report` gets the
 * bug.
 */
export function createStoreCore(engine: Engine, report: ReportFault) {
  const bind =
    <A extends readonly unknown[], R>(call: (engine: Engine, ...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      try {
        return await call(engine, ...args);
      } catch (error) {
        const failure = engine.failureOf(error);
        if (failure instanceof ChatStoreError) throw failure;
        if (failure === 'again') {
          const message = 'the write conflicted with other transactions too often';
          throw new ChatStoreError('unavailable', message);
        }
        const newer = await newerSchemaBehind(engine);
        if (newer !== null) throw newer;
        report(error, call.name);
        throw new ChatStoreError('internal', 'a bug in the chat store', { cause: error });
      }
    };

  function runCommands(on: Engine, commands: readonly Command[], policy?: GroupPolicy) {
    return runGroup(on, commands, report, policy);
  }

  function erase(on: Engine, erasure: Erasure, place: ErasePlace) {
    return eraseSome(on, erasure, place, report);
  }

  function feed(on: Engine): Promise<SearchFed> {
    return feedSearch(on, report);
  }

  async function sweep(
    on: Engine,
    retention: Retention = noRetention,
    everyMs?: number,
    auditRetentionMs: number = Infinity,
  ): Promise<Swept> {
    const isRedacting = await sweepRedactions(on);
    const isDeleting = await sweepDeleted(on);
    const isExpiring = await sweepTokens(on);
    await sweepAgentOrders(on);
    const isForgetting = auditRetentionMs !== Infinity && (await sweepAudit(on, auditRetentionMs));
    const isTrimming = await sweepInboxes(on, everyMs);
    const isTrimmingOfAll = await sweepInboxesOfAll(on, everyMs);
    const swept = await sweepRetention(on, retention, everyMs);
    const others = [
      ...[isRedacting, isDeleting, isExpiring, isForgetting],
      ...[isTrimming, isTrimmingOfAll],
    ];
    return { ...swept, isMore: swept.isMore || others.includes(true) };
  }

  return {
    runGroup: bind(runCommands),
    read: bind(read),
    /**
     * Like `read`, but the rows stay JSON: no row is parsed and serialized again. The rows take at most `maxBytes`, by
     * default the protocol's limit of an answer.
     */
    readJson: bind(readJson),
    access: bind(readAccess),
    logPage: bind(readLogPage),
    heads: bind(readHeads),
    /** Lists the channels of the newest commits, deleted channels too; newest first, at most `limit`. */
    recentHeads: bind(readRecentHeads),
    /** Lists the agent's direct channels whose ids come after `after`, in the order of their ids. */
    directChannels: bind(readDirectChannels),
    /** Returns commits since the mark, at most a few thousand. */
    changes: bind(readChanges),
    /** Reads the freezes of the hub and of agents. The freeze of a channel is checked under the channel's lock. */
    freezes: bind(readFreezes),
    due: bind(findDue),
    inboxMarks: bind(readInboxMarks),
    /**
     * Records the database's time, whether the hub lacks Redis, and the hub's figures (JSON, at most 2 KiB). Fails
     * with `newer_schema` if a newer release has migrated the database past this one.
     */
    beat: bind(beat),
    /** Returns the given hubs that beat in the last 5 s and reported that they lack Redis. */
    redislessHubs: bind(readRedislessHubs),
    /** Lists hubs with a beat in the last minute, latest first, at most 100. */
    hubs: bind(readHubs),
    /** `agent.list` counts these connections while the hub beats. */
    recordHubAgents: bind(recordHubAgents),
    fleet: bind(readFleet),
    fleetAgent: bind(readFleetAgent),
    recordMinutes: bind(recordMinutes),
    readMinutes: bind(readMinutes),
    /** Costs one statement. `agents` may have each agent only once, at most a few hundred in all. */
    recordAgents: bind(recordAgents),
    /** Resolves when the order is committed. Hubs find it with their next `agentOrders`. */
    giveAgentOrder: bind(giveAgentOrder),
    agentOrders: bind(readAgentOrders),
    checkpointStreams: bind(checkpointStreams),
    /** Returns the caller's own growing message, or the refusal of an append to it. */
    readStream: bind(readStream),
    readStreamAuthors: bind(readStreamAuthors),
    keepStreams: bind(keepStreams),
    /** Interrupts some streams whose time is over. Returns the events. */
    sweepStreams: bind(sweepStreams),
    /** Resolves when the revocation is committed. Other hubs find it with their next `changes`. */
    revoke: bind(revoke),
    isRevoked: bind(isRevoked),
    /**
     * The database's time. If a token is minted with this time, every later revocation ends it, even if the hub's clock
     * is wrong.
     */
    readTime: bind(readTime),
    /** The token may be handed out only after this call has resolved. */
    recordMinted: bind(recordMinted),
    recordTokenUses: bind(recordTokenUses),
    readMinted: bind(readMinted),
    recordAudit: bind(recordAudit),
    readAudit: bind(readAudit),
    /**
     * Removes some rows of these kinds: deleted messages and channels, expired tokens, ended orders, events beyond
     * their retention, old audit entries, and items that fell out of full inboxes.
     */
    sweep: bind(sweep),
    /**
     * Indexes some new messages for `message.search`, else some older ones, and removes deleted ones. If there is no
     * work, costs three small statements. Only one hub at a time does a piece.
     */
    feedSearch: bind(feed),
    /** Does one bounded piece of an erasure. Call it until the returned place's phase is `done`; see erase.ts. */
    eraseSome: bind(erase),
    isKnownAgent: bind(isKnownAgent),
    epoch: bind(readEpoch),
    changeEpoch: bind(changeEpoch),
    close: () => engine.close(),
  };
}
