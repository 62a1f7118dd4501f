import { dbOf, accepted, loadAuthorized, type Decide } from './decision.ts';

/** A cursor moves only forward, and not past the head. */
export const markRead: Decide<'read.mark'> = async (group, { actor, params }) => {
  const loaded = await loadAuthorized(group, actor, params.channelId, 'member', 'even archived');
  if (!loaded.ok) return loaded;
  const seq = Math.min(params.seq, loaded.channel.head);
  await dbOf(group)
    .insertInto('read_cursors')
    .values({ agent_id: actor.agentId, channel_id: loaded.channel.id, seq })
    .onConflict((conflict) =>
      conflict
        .columns(['agent_id', 'channel_id'])
        .doUpdateSet({ seq })
        .where('read_cursors.seq', '<', seq),
    )
    .execute();
  return accepted({});
};
