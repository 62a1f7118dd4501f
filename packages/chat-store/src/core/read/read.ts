import type { ParamsOf, ResultOf } from '@openclaw/protocol';
import { limits } from '@openclaw/protocol/wire';
import type { Actor, ReadJsonOutcome, ReadMethod, ReadOutcome } from '../../commands.ts';
import type { Engine } from '../engine.ts';
import { listAsks } from './asks.ts';
import { listAgents } from './agents.ts';
import { getBudget } from './budget.ts';
import { getChannel, listChannels, listMembers } from './channels.ts';
import { listFreezes } from './freezes.ts';
import { listThreads, readHistory } from './history.ts';
import { readInbox } from './inbox.ts';
import { sumLedger } from './ledger.ts';
import { readLog } from './log.ts';
import { getMessage } from './message.ts';
import { encodePieces } from './page-text.ts';
import { listQuestions } from './questions.ts';
import { readState } from './read-state.ts';
import type { Read } from './reading.ts';
import { searchMessages } from './search.ts';

const reads: { readonly [M in ReadMethod]: Read<M> } = {
  'channel.get': getChannel,
  'channel.list': listChannels,
  'member.list': listMembers,
  'log.read': readLog,
  'message.get': getMessage,
  'message.history': readHistory,
  'message.search': searchMessages,
  'thread.list': listThreads,
  'ask.list': listAsks,
  'question.list': listQuestions,
  'budget.get': getBudget,
  'freeze.list': listFreezes,
  'ledger.sum': sumLedger,
  'read.state': readState,
  'inbox.read': readInbox,
  'agent.list': listAgents,
};

/** Room for the result's other fields and the frame. */
const aroundRowsBytes = 1024;

export const answerBytes = limits.resumeBytes - aroundRowsBytes;

export async function read<M extends ReadMethod>(
  engine: Engine,
  actor: Actor,
  method: M,
  params: ParamsOf<M>,
): Promise<ReadOutcome<M>> {
  return parsedOutcome<M>(await inSnapshot(engine, actor, method, params, answerBytes));
}

export function parsedOutcome<M extends ReadMethod>(
  outcome: Awaited<ReturnType<Read<M>>>,
): ReadOutcome<M> {
  return 'text' in outcome
    ? { ok: true, result: JSON.parse(wholeText(outcome.text)) as ResultOf<M> }
    : outcome;
}

function wholeText(pieces: Iterable<string | Uint8Array>): string {
  const encoded = [...pieces].map((piece) =>
    typeof piece === 'string' ? Buffer.from(piece) : piece,
  );
  return Buffer.concat(encoded).toString();
}

export async function readJson<M extends ReadMethod>(
  engine: Engine,
  actor: Actor,
  method: M,
  params: ParamsOf<M>,
  maxBytes: number = answerBytes,
): Promise<ReadJsonOutcome> {
  const outcome = await inSnapshot(engine, actor, method, params, maxBytes);
  if (!outcome.ok) return outcome;
  const pieces = 'text' in outcome ? outcome.text : [JSON.stringify(outcome.result)];
  return { ok: true, json: await encodePieces(pieces) };
}

function inSnapshot<M extends ReadMethod>(
  engine: Engine,
  actor: Actor,
  method: M,
  params: ParamsOf<M>,
  maxBytes: number,
): ReturnType<Read<M>> {
  return engine.snapshot((db) =>
    (reads[method] as Read<M>)(db, actor, params, maxBytes, engine.dialect, engine.sql),
  );
}
