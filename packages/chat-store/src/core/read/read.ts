import type { ParamsOf } from '@openclaw/protocol';
import type { Actor, ReadMethod, ReadOutcome } from '../../commands.ts';
import type { Engine } from '../engine.ts';
import { getChannel, listChannels, listMembers } from './channels.ts';
import { listThreads, readHistory } from './history.ts';
import { readLog } from './log.ts';
import { readState } from './read-state.ts';
import type { Read } from './reading.ts';

const reads: { readonly [M in ReadMethod]: Read<M> } = {
  'channel.get': getChannel,
  'channel.list': listChannels,
  'member.list': listMembers,
  'log.read': readLog,
  'message.history': readHistory,
  'thread.list': listThreads,
  'read.state': readState,
};

/** Answers one read from one snapshot. */
export function read<M extends ReadMethod>(
  engine: Engine,
  actor: Actor,
  method: M,
  params: ParamsOf<M>,
): Promise<ReadOutcome<M>> {
  return engine.snapshot((db) => (reads[method] as Read<M>)(db, actor, params));
}
