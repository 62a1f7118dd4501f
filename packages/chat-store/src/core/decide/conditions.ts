import type { Message, ParamsOf } from '@openclaw/protocol';
import { limits } from '@openclaw/protocol/wire';
import { refuse, refuseWith, type Actor, type Refusal } from '../../commands.ts';
import type { GroupState } from '../group-state.ts';
import { messagesOf, selectMessages } from '../message-projection.ts';
import { countStreams } from '../streams.ts';
import { newestClaim } from './claims.ts';

/** A refusal shows at most this many messages. */
const newerMax = 20;
/** The messages in a refusal have at most this many bytes as JSON. */
const newerBytes = 262_144;
/** A sender that is further behind than this is always superseded, so that a check reads few rows. */
const seqsMax = 1_000;

type Params = ParamsOf<'message.send'>;

/** A direct message has no `threadId`, and therefore no `fence`. */
interface ConditionalSend {
  readonly actor: Actor;
  readonly channelId: string;
  readonly params: Pick<Params, 'basedOn' | 'stream'> & Partial<Pick<Params, 'threadId' | 'fence'>>;
}

export interface Conditions {
  /** Other agents' messages since `basedOn`, oldest first; null for none. */
  readonly newer: readonly Message[] | null;
  /** The thread's newest fence; null without a claim. */
  readonly fence: number | null;
  readonly streams: number;
}

/** True if the send depends on earlier writes. Such a send costs additional statements. */
export function isConditional({ params }: ConditionalSend): boolean {
  return params.stream || params.basedOn !== null || (params.fence ?? null) !== null;
}

/** Before the call, the rows of the group's earlier commands must have been written. */
export async function readConditions(
  group: GroupState,
  send: ConditionalSend,
): Promise<Conditions> {
  const { channelId, params } = send;
  const { basedOn, threadId = null, fence = null } = params;
  const claim =
    fence === null || threadId === null ? undefined : await newestClaim(group, channelId, threadId);
  const newer = basedOn === null ? null : await readNewer(group, send, basedOn);
  const streams = params.stream ? await countStreams(group, send.actor.agentId) : 0;
  return { newer, fence: claim?.fence ?? null, streams };
}

/** Call it only after the sender's rights were checked, because the refusal shows messages. */
export function refuseUnmet(
  { params }: ConditionalSend,
  { newer, fence, streams }: Conditions,
): Refusal | null {
  if ((params.fence ?? null) !== null && params.fence !== fence) {
    return refuse(
      'conflict',
      `fence ${params.fence} is not the newest of thread ${params.threadId}`,
    );
  }
  if (params.stream && streams >= limits.streams)
    return refuse('conflict', `${limits.streams} messages of this agent grow already`);
  if (newer === null) return null;
  return refuseWith('superseded', `others wrote since seq ${params.basedOn}`, { newer });
}

async function readNewer(
  group: GroupState,
  send: ConditionalSend,
  basedOn: number,
): Promise<readonly Message[] | null> {
  const { actor, channelId } = send;
  const { threadId = null } = send.params;
  const head = group.channel(channelId)?.head ?? 0;
  const after = Math.max(basedOn, head - seqsMax);
  const rows = await selectMessages(group.db)
    .where('m.channel_id', '=', channelId)
    .where('m.seq', '>', after)
    .where('m.thread_id', threadId === null ? 'is' : '=', threadId)
    .where('m.sender_id', '!=', actor.agentId)
    .where('m.deleted_at', 'is', null)
    .orderBy('m.seq', 'desc')
    .limit(newerMax)
    .execute();
  if (rows.length === 0 && after === basedOn) return null;
  const newest: Message[] = [];
  let bytes = 0;
  for (const message of await messagesOf(group.db, rows)) {
    bytes += Buffer.byteLength(JSON.stringify(message));
    if (bytes > newerBytes && newest.length > 0) break;
    newest.unshift(message);
  }
  return newest;
}
