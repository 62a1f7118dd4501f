import { refuse } from '../../commands.ts';
import type { GroupState } from '../group-state.ts';
import { threadOf } from '../objects.ts';
import type { ThreadsTable } from '../tables.ts';
import { dbOf, accepted, loadAuthorized, type Decide } from './decision.ts';
import { findMessage } from './messages.ts';
import { findRepeat, fingerprint } from './repeats.ts';

/** Gives a title to a thread that exists only by its replies; a thread that was already created stays unchanged. */
export const createThread: Decide<'thread.create'> = async (group, { actor, params }) => {
  const { channelId, messageId, title, clientMessageId } = params;
  // A repeat returns the current thread, so rights are checked first: a removed member must not see later changes.
  const loaded = await loadAuthorized(group, actor, channelId, 'member', 'even archived');
  if (!loaded.ok) return loaded;
  const { channel } = loaded;
  const print = fingerprint('thread.create', messageId, title);
  const repeat = await findRepeat(group, channelId, actor, clientMessageId, print);
  if (repeat && !repeat.ok) return repeat;
  const known = await findThread(group, channelId, messageId);
  if (repeat && known) return accepted({ thread: threadOf(known) });
  if (channel.archived_at !== null) return refuse('archived', `channel ${channelId} is archived`);
  if (known?.announced) return accepted({ thread: threadOf(known) });
  const found = await findMessage(group, channel, messageId);
  if (!found.ok) return found;
  if (found.message.threadId !== null) return refuse('conflict', `${messageId} is itself a reply`);
  if (found.message.deletedAt !== null) return refuse('conflict', 'the message was deleted');

  const thread: ThreadsTable = {
    channel_id: channelId,
    thread_id: messageId,
    replies: known?.replies ?? 0,
    created_by: actor.agentId,
    created_at: group.nowMs,
    title,
    announced: 1,
  };
  const { created_by, created_at, announced } = thread;
  await dbOf(group)
    .insertInto('threads')
    .values(thread)
    .onConflict((conflict) =>
      conflict
        .columns(['channel_id', 'thread_id'])
        .doUpdateSet({ title, created_by, created_at, announced }),
    )
    .execute();
  const event = group.append(channel, {
    sender: actor,
    clientMessageId,
    fingerprint: print,
    event: () => ({ type: 'thread.create', channelId, thread: threadOf(thread) }),
  });
  return accepted({ thread: threadOf(thread) }, event);
};

/** For the thread's creator and the owners. */
export const updateThread: Decide<'thread.update'> = async (group, { actor, params }) => {
  const { channelId, threadId, title } = params;
  const loaded = await loadAuthorized(group, actor, channelId, 'member');
  if (!loaded.ok) return loaded;
  const { channel, role } = loaded;
  const known = await findThread(group, channelId, threadId);
  if (!known) return refuse('not_found', `there is no thread ${threadId}`);
  if (known.created_by !== actor.agentId && role !== 'owner' && !actor.isAdmin) {
    return refuse('forbidden', 'only its creator or an owner may change a thread');
  }
  if (known.title === title) return accepted({ thread: threadOf(known) });
  await dbOf(group)
    .updateTable('threads')
    .set({ title })
    .where('channel_id', '=', channelId)
    .where('thread_id', '=', threadId)
    .execute();
  const thread = threadOf({ ...known, title });
  const event = group.append(channel, {
    sender: actor,
    event: () => ({ type: 'thread.update', channelId, thread }),
  });
  return accepted({ thread }, event);
};

function findThread(group: GroupState, channelId: string, threadId: string) {
  return dbOf(group)
    .selectFrom('threads')
    .selectAll()
    .where('channel_id', '=', channelId)
    .where('thread_id', '=', threadId)
    .executeTakeFirst();
}
