import type { Command } from '../commands.ts';
import { ChatStoreError } from '../errors.ts';
import { readAccess, readDirectChannels, readHeads, readRecentHeads } from './access.ts';
import { recordAgents } from './agents.ts';
import { readAudit, recordAudit, sweepAudit } from './audit.ts';
import { readChanges } from './changes.ts';
import type { Engine } from './engine.ts';
import { eraseSome, isKnownAgent, type Erasure, type ErasePlace } from './erase.ts';
import { changeEpoch, readEpoch } from './epoch.ts';
import { readFreezes } from './freezes.ts';
import type { GroupPolicy } from './group-state.ts';
import { beat, readHubs, readRedislessHubs } from './hubs.ts';
import { sweepRedactions } from './redactions.ts';
import { noRetention, sweepRetention, type Retention, type Swept } from './retention.ts';
import { readLogPage } from './read/log.ts';
import { read, readJson } from './read/read.ts';
import { runGroup, type ReportFault } from './run-group.ts';
import { sweepDeleted } from './sweep.ts';
import {
  isRevoked,
  readMinted,
  recordMinted,
  recordTokenUses,
  revoke,
  sweepTokens,
} from './tokens.ts';

/** The store without its queue. It runs on the main thread for PostgreSQL and in worker threads for SQLite. */
export type StoreCore = ReturnType<typeof createStoreCore>;

/**
 * Creates the core on an engine. Every method rejects only with ChatStoreError: an error of the engine, or `internal`
 * for an error that is reported as a bug.
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

  async function sweep(
    on: Engine,
    retention: Retention = noRetention,
    everyMs?: number,
    auditRetentionMs: number = Infinity,
  ): Promise<Swept> {
    const isRedacting = await sweepRedactions(on);
    const isDeleting = await sweepDeleted(on);
    const isExpiring = await sweepTokens(on);
    const isForgetting = auditRetentionMs !== Infinity && (await sweepAudit(on, auditRetentionMs));
    const swept = await sweepRetention(on, retention, everyMs);
    const isMore = swept.isMore || isRedacting || isDeleting || isExpiring || isForgetting;
    return { ...swept, isMore };
  }

  return {
    runGroup: bind(runCommands),
    read: bind(read),
    /**
     * Like `read`, but returns JSON, for answers that are only forwarded: no row is parsed or serialized again. Its rows
     * take at most `maxBytes`, by default the protocol's limit of an answer.
     */
    readJson: bind(readJson),
    access: bind(readAccess),
    logPage: bind(readLogPage),
    /**
     * The heads of these channels, deleted ones too. Only a channel that never existed is absent, because no channel's
     * row is ever removed. If the caller knows of such a channel, the database was restored to an earlier state.
     */
    heads: bind(readHeads),
    /** The heads of the channels in the newest commits, newest first, deleted ones too; at most `limit`. */
    recentHeads: bind(readRecentHeads),
    /** A page of the agent's direct channels, ordered by id: those after `after`, or the first page. */
    directChannels: bind(readDirectChannels),
    /** The commits since the mark, at most some thousand; `hasMore` is true when there are more. */
    changes: bind(readChanges),
    /** The freezes of agents and of the hub. Those of channels are decided under their locks. */
    freezes: bind(readFreezes),
    /** Records a beat of a hub, with the database's time, and whether the hub lacks Redis. */
    beat: bind(beat),
    /** The hubs among these that have beaten in the last 5 s and reported that they lack Redis. */
    redislessHubs: bind(readRedislessHubs),
    /** The hubs that have beaten in the last minute, latest beat first, at most 100. */
    hubs: bind(readHubs),
    /** Records agents as known, in one statement. Name each agent once, and at most some hundred in a call. */
    recordAgents: bind(recordAgents),
    /** The revocation is committed when it resolves. Other hubs find it with their next `changes`. */
    revoke: bind(revoke),
    isRevoked: bind(isRevoked),
    /** Records a minted token with its audit entry. Give the token away only when it has resolved. */
    recordMinted: bind(recordMinted),
    recordTokenUses: bind(recordTokenUses),
    readMinted: bind(readMinted),
    recordAudit: bind(recordAudit),
    readAudit: bind(readAudit),
    /**
     * Removes some rows of deleted messages and channels, some of expired tokens, some events that are
     * beyond the retention of their channel or hub, and some old entries of the audit log.
     */
    sweep: bind(sweep),
    /**
     * Runs one bounded piece of an agent's erasure, from the given place. Returns the next place and the changes. Call
     * it until the place's phase is `done`; see erase.ts.
     */
    eraseSome: bind(erase),
    isKnownAgent: bind(isKnownAgent),
    epoch: bind(readEpoch),
    changeEpoch: bind(changeEpoch),
    close: () => engine.close(),
  };
}
