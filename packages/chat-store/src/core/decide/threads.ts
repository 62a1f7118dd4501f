import { refuse } from '../../commands.ts';
import type { GroupState } from '../group-state.ts';
import { threadOf } from '../objects.ts';
import type { ThreadsTable } from '../tables.ts';
import { accepted, type DecideAuthorized } from './decision.ts';
import { refusalOfFrozen } from './freezes.ts';
import { findMessage } from './messages.ts';
import { findRepeat, fingerprint } from './repeats.ts';

/**
 * Begins a thread, or gives a title to a thread that began with a reply. Any other thread stays unchanged. Even a
 * repeat needs the rights for this method, because its answer shows the current thread.
 */
export const createThread: DecideAuthorized<'thread.create'> = async (group, command) => {
  const { actor, channel, params } = command;
  const { channelId, messageId, title, clientMessageId } = params;
  const print = fingerprint('thread.create', messageId, title);
  const repeat = await findRepeat(group, channelId, actor, clientMessageId, print);
  if (repeat && !repeat.ok) return repeat;
  const known = await findThread(group, channelId, messageId);
  if (repeat && known) return accepted({ thread: threadOf(known) });
  const frozen = refusalOfFrozen(actor, channel);
  if (frozen) return frozen;
  if (channel.archived_at !== null) return refuse('archived', `channel ${channelId} is archived`);
  if (known?.announced) return accepted({ thread: threadOf(known) });
  const found = await findMessage(group, channel, messageId);
  if (!found.ok) return found;
  if (found.message.threadId !== null)
    return refuse('conflict', `message ${messageId} is a reply and cannot start a thread`);
  if (found.message.deletedAt !== null) return refuse('conflict', 'the message was deleted');

  const row: ThreadsTable = {
    channel_id: channelId,
    thread_id: messageId,
    replies: known?.replies ?? 0,
    created_by: actor.agentId,
    created_at: group.nowMs,
    title,
    // The seq of the event that is appended below.
    last_seq: channel.head + 1,
    announced: 1,
    turns: known?.turns ?? null,
  };
  const { created_by, created_at, last_seq, announced } = row;
  await group.db
    .insertInto('threads')
    .values(row)
    .onConflict((conflict) =>
      conflict
        .columns(['channel_id', 'thread_id'])
        .doUpdateSet({ title, created_by, created_at, last_seq, announced }),
    )
    .execute();
  const thread = threadOf(row);
  const created = { type: 'thread.create', thread } as const;
  const event = group.append(channel, actor, created, { clientMessageId, fingerprint: print });
  return accepted({ thread }, event);
};

export const updateThread: DecideAuthorized<'thread.update'> = async (group, command) => {
  const { actor, channel, params, role } = command;
  const { channelId, threadId, title } = params;
  const known = await findThread(group, channelId, threadId);
  if (!known) return refuse('not_found', `there is no thread ${threadId}`);
  if (known.created_by !== actor.agentId && role !== 'owner' && !actor.isAdmin) {
    return refuse('forbidden', 'only its creator or an owner may change a thread');
  }
  if (known.title === title) return accepted({ thread: threadOf(known) });
  await group.db
    .updateTable('threads')
    .set({ title, last_seq: channel.head + 1 })
    .where((eb) => eb.and({ channel_id: channelId, thread_id: threadId }))
    .execute();
  const thread = threadOf({ ...known, title });
  return accepted({ thread }, group.append(channel, actor, { type: 'thread.update', thread }));
};

function findThread(group: GroupState, channelId: string, threadId: string) {
  return group.db
    .selectFrom('threads')
    .selectAll()
    .where((eb) => eb.and({ channel_id: channelId, thread_id: threadId }))
    .executeTakeFirst();
}
