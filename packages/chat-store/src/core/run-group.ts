import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ResultOf } from '@openclaw/protocol';
import { refuse, type Command, type Expiry, type Outcome } from '../commands.ts';
import { ChatStoreError } from '../errors.ts';
import { isConditional, readConditions } from './decide/conditions.ts';
import { acceptByMessage, expireAsks } from './decide/asks.ts';
import { decide, type SingleCommand } from './decide/decide.ts';
import { accepted } from './decide/decision.ts';
import { openDirectChannels } from './decide/direct-channels.ts';
import { expireQuestions } from './decide/questions.ts';
import {
  decideSend,
  directChannelId,
  mayAnswerAsk,
  prefetchFor,
  sendOf,
  type Send,
} from './decide/send.ts';
import { placeCommands } from './due.ts';
import type { Engine } from './engine.ts';
import { emptyLists } from './group-statements.ts';
import { newerSchemaBehind } from './newer-schema.ts';
import { indexPrefetched, type Prefetched } from './prefetch.ts';
import { createGroupState, type GroupPolicy, type GroupState } from './group-state.ts';
import { openStream } from './streams.ts';

/** For errors that callers must not see: bugs in this package, and rows that the database refused. */
export type ReportFault = (error: unknown, doing: string) => void;

const attempts = 3;
/** Texts are parsed this long without a pause. With PostgreSQL, parsing blocks the hub's event loop. */
const sliceMs = 4;

/**
 * Runs the commands in their order, in one transaction. Resolves with the answers after the commit.
 * @throws {ChatStoreError} when the database failed: with `timeout` the group may have been committed, otherwise it was
 * not
 */
export async function runGroup(
  engine: Engine,
  commands: readonly Command[],
  report: ReportFault,
  policy: GroupPolicy = {},
): Promise<Outcome[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptGroup(engine, commands, policy);
    } catch (error) {
      const failure = engine.failureOf(error);
      if (failure instanceof ChatStoreError) throw failure;
      if (failure === 'again' && attempt < attempts) continue;
      if (failure === 'again') {
        throw new ChatStoreError(
          'unavailable',
          'the group conflicted with other transactions too often',
          { cause: error },
        );
      }
      const newer = await newerSchemaBehind(engine);
      if (newer !== null) throw newer;
      if (commands.length > 1) return runApart(engine, commands, report, policy);
      report(error, `deciding ${commands[0]?.method}`);
      return [refuse('internal', 'the command could not be executed')];
    }
  }
}

// One command made the transaction fail. Each command now gets its own transaction, so that all others are committed.
async function runApart(
  engine: Engine,
  commands: readonly Command[],
  report: ReportFault,
  policy: GroupPolicy,
) {
  const outcomes: Outcome[] = [];
  for (const command of commands) {
    try {
      outcomes.push(...(await runGroup(engine, [command], report, policy)));
    } catch (error) {
      if (!(error instanceof ChatStoreError)) throw error;
      outcomes.push(refusalOf(error));
    }
  }
  return outcomes;
}

export function refusalOf(error: ChatStoreError): Outcome & { readonly ok: false } {
  const { code, message, retryAfterMs = 1000 } = error;
  return code === 'timeout' || code === 'internal'
    ? refuse(code, message)
    : refuse(code === 'rate_limited' ? code : 'unavailable', message, retryAfterMs);
}

async function attemptGroup(
  engine: Engine,
  commands: readonly Command[],
  policy: GroupPolicy,
): Promise<Outcome[]> {
  const isPlaced = commands.some(({ params }) => 'askId' in params || 'questionId' in params);
  const runs = await splitRuns(isPlaced ? await placeCommands(engine, commands) : commands);
  const firstSends = runs[0]?.sends;
  const opening = await engine.beginGroup(
    channelIdsOf(runs),
    firstSends ? prefetchFor(firstSends) : emptyLists,
  );
  const { transaction } = opening;
  const group = createGroupState(opening, policy);
  const outcomes: Outcome[] = [];
  try {
    for (const [index, run] of runs.entries()) {
      if (index > 0 && group.hasRows()) await transaction.write(group.takeRows());
      if (run.sends) {
        const ask = async () =>
          indexPrefetched(await transaction.prefetched(prefetchFor(run.sends)));
        let prefetched = index === 0 ? indexPrefetched(opening.prefetched) : await ask();
        const opened = await openDirectChannels(group, prefetched, run.sends);
        if (opened.size > 0) prefetched = await ask();
        for (const send of run.sends) {
          const { actor, channelId } = send;
          // A sender without the rights is refused in any case. Reading its conditions would only hold the channel's
          // lock for longer.
          const mayRead = actor.isAdmin || prefetched.role(channelId, actor.agentId) !== null;
          const conditions =
            mayRead && isConditional(send) ? await readConditions(group, send) : null;
          const outcome =
            isTooEarly(send, opened) ?? decideSend(group, prefetched, send, conditions);
          if (outcome.ok) opened.delete(send.channelId);
          if (outcome.ok && send.params.stream) await beginStream(group, send, outcome);
          outcomes.push(await withAnswers(group, prefetched, send, outcome));
        }
      } else if (run.expiries) {
        outcomes.push(...(await expire(group, run.expiries)));
      } else {
        outcomes.push(await decide(group, run.single));
      }
    }
    await transaction.commit(group.takeLastRows());
    return outcomes;
  } catch (error) {
    await transaction.rollback();
    throw error;
  }
}

/** The expiries are of one kind. Each event is in one outcome, even if an expiry is there twice. */
async function expire(group: GroupState, expiries: readonly Expiry[]): Promise<Outcome[]> {
  const expireAll = expiries[0]?.kind === 'ask' ? expireAsks : expireQuestions;
  const events = await expireAll(group, [...new Set(expiries.map(({ id }) => id))]);
  return expiries.map(({ id }) => {
    const event = events.get(id);
    events.delete(id);
    return event ? accepted({}, event) : accepted({});
  });
}

async function beginStream(
  group: GroupState,
  { actor, channelId, params }: Send,
  { result }: Outcome & { readonly ok: true },
): Promise<void> {
  const { messageId, seq, duplicate } = result as ResultOf<Send['method']>;
  if (duplicate) return;
  const row = { channel_id: channelId, message_id: messageId, seq, text: params.content };
  await openStream(group, actor, row);
}

async function withAnswers(
  group: GroupState,
  prefetched: Prefetched,
  send: Send,
  outcome: Outcome,
): Promise<Outcome> {
  if (!outcome.ok || outcome.events.length === 0 || !mayAnswerAsk(prefetched, send)) return outcome;
  const channel = group.channel(send.channelId);
  if (!channel) return outcome;
  const threadId = send.method === 'direct.send' ? null : send.params.threadId;
  const { replyTo } = send.params;
  const accepted = await acceptByMessage(group, channel, send.actor, { replyTo, threadId });
  return { ...outcome, events: [...outcome.events, ...accepted] };
}

// A run's direct channels are created before its first message is decided. A `message.send` that comes before the
// `direct.send` must not find the new channel.
function isTooEarly(send: Send, opened: Set<string>): Outcome | null {
  const { method, channelId } = send;
  return method === 'message.send' && opened.has(channelId)
    ? refuse('not_found', `there is no channel ${channelId}`)
    : null;
}

type Run =
  | { readonly sends: Send[]; readonly expiries?: undefined; readonly single?: undefined }
  | { readonly sends?: undefined; readonly expiries: Expiry[]; readonly single?: undefined }
  | { readonly sends?: undefined; readonly expiries?: undefined; readonly single: SingleCommand };

// Consecutive messages are decided together, and so are consecutive expiries of one kind. Any other command is decided
// alone. A message with conditions begins a run, because earlier rows must be written before its conditions are read.
// The loop pauses, because a long text takes two milliseconds to parse.
async function splitRuns(commands: readonly Command[]): Promise<Run[]> {
  const runs: Run[] = [];
  let endMs = performance.now() + sliceMs;
  for (const command of commands) {
    if (performance.now() >= endMs) {
      await nextTurn();
      endMs = performance.now() + sliceMs;
    }
    const last = runs.at(-1);
    if (command.method === 'expire') {
      const { params } = command;
      if (last?.expiries?.[0]?.kind === params.kind) last.expiries.push(params);
      else runs.push({ expiries: [params] });
      continue;
    }
    const send = sendOf(command);
    if (!send) runs.push({ single: command as SingleCommand });
    else if (last?.sends && !isConditional(send)) last.sends.push(send);
    else runs.push({ sends: [send] });
  }
  return runs;
}

// In id order, so that two hubs that lock the same channels do not deadlock.
function channelIdsOf(runs: readonly Run[]): string[] {
  const ids = new Set<string>();
  for (const { sends, expiries, single } of runs) {
    for (const { channelId } of sends ?? expiries ?? []) ids.add(channelId);
    const channelId = single ? channelIdOf(single) : null;
    if (channelId !== null) ids.add(channelId);
  }
  return [...ids].sort();
}

function channelIdOf(command: SingleCommand): string | null {
  const { method, params } = command;
  if (method === 'inbox.ack') return null;
  if (method === 'ask.create') {
    const { channelId, agentId } = params;
    return agentId === null ? channelId : directChannelId(command.actor.agentId, agentId);
  }
  if ('askId' in params || 'questionId' in params) {
    return 'channelId' in command ? (command.channelId ?? null) : null;
  }
  if (method !== 'freeze' && method !== 'unfreeze') return params.channelId;
  return params.scope === 'channel' ? params.id : null;
}
