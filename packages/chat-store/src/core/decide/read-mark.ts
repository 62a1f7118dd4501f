import { accepted, type DecideAuthorized } from './decision.ts';

/** A mark is never past the head, and goes back only on request. */
export const markRead: DecideAuthorized<'read.mark'> = async (group, command) => {
  const { actor, channel, params } = command;
  const seq = Math.min(params.seq, channel.head);
  await group.db
    .insertInto('read_cursors')
    .values({ agent_id: actor.agentId, channel_id: channel.id, seq })
    .onConflict((conflict) =>
      conflict
        .columns(['agent_id', 'channel_id'])
        .doUpdateSet({ seq })
        .where('read_cursors.seq', params.back ? '<>' : '<', seq),
    )
    .execute();
  return accepted({});
};
