import { refuse } from '../../commands.ts';
import { floorOf } from '../head.ts';
import { messageTextsOf, selectMessages } from '../message-projection.ts';
import { openChannel, type Read } from './reading.ts';

/** Only members and admins may read a message, even in a public channel. A trimmed message is not found. */
export const getMessage: Read<'message.get'> = async (db, actor, params) => {
  const { channelId, messageId } = params;
  const opened = await openChannel(db, actor, channelId, 'member');
  if (!opened.ok) return opened;
  const rows = await selectMessages(db)
    .where((eb) => eb.and({ 'm.id': messageId, 'm.channel_id': channelId }))
    .where('m.seq', '>=', floorOf(channelId))
    .execute();
  const [parts] = await messageTextsOf(db, rows);
  if (!parts) return refuse('not_found', `there is no message ${messageId}`);
  return { ok: true, text: ['{"message":', ...parts, '}'] };
};
