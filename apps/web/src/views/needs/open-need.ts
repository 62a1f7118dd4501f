import { plainText } from '../../markdown/plain-text.ts';
import { visibleString } from '../../markdown/visible-text.ts';
import { channelRoute } from '../../page/route.ts';
import type { Session } from '../../session/session.ts';
import { titleOf } from '../../store/channel-names.ts';
import type { Need, NeedKind } from '../../store/concerns.ts';

export const kindWords: Readonly<Record<NeedKind, string>> = {
  ask: 'asks you',
  question: 'needs your decision',
  mention: 'mentions you',
  direct: 'writes to you',
  reply: 'replies to you',
  answer: 'answers you',
  failure: 'has a problem',
};

export async function openNeed(session: Session, need: Need): Promise<void> {
  const { channelId, seq, messageId, threadId } = need;
  if (messageId !== null || need.kind === 'failure') {
    return session.router.go(channelRoute(channelId, threadId, seq));
  }
  // The hub gave only a line of text, without the thread of the message.
  const { messages } = await session.client
    .channel(channelId)
    .history({ after: seq - 1, limit: 1 });
  const [message] = messages;
  const thread = message?.seq === seq ? message.threadId : null;
  session.router.go(channelRoute(channelId, thread, seq));
}

export function needTitle(session: Session, { kind, senderId, channelId }: Need): string {
  const channel = session.chats.byId.peek().get(channelId)?.channel.peek();
  const place =
    channel === undefined || channel.kind === 'direct'
      ? ''
      : ` in ${visibleString(titleOf(channel, session.me))}`;
  return `${senderId ?? 'The hub'} ${kindWords[kind]}${place}`;
}

/** The text of a need in one line. The texts of events are not Markdown. */
export function needText({ kind, messageId, text }: Need): string {
  return kind === 'failure' && messageId === null ? text : plainText(text);
}
