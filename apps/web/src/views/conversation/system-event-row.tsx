import type { ComponentChildren } from 'preact';
import type { Envelope, EventOf } from '@openclaw/protocol';
import { visibleString } from '../../markdown/visible-text.ts';
import { channelRoute, hashOf } from '../../page/route.ts';
import type { Chat } from '../../store/chat.ts';
import { questionIn } from '../../store/questions.ts';
import { isDecision } from '../decisions/decision-event.ts';
import { DecisionLine } from '../decisions/decision-line.tsx';
import { QuestionCard } from '../decisions/question-card.tsx';
import { AgentName, Avatar, IsolatedText } from '../shared/agents.tsx';
import { fullTimeText, timeText } from '../shared/format-time.ts';
import { payloadSummary } from './summaries.ts';

export function SystemEventRow({ chat, envelope }: { chat: Chat; envelope: Envelope }) {
  const { event, timestamp } = envelope;
  const question = questionIn(envelope);
  if (question !== null) {
    return <QuestionCard chat={chat} opened={question} openedAtMs={timestamp} isInThread={false} />;
  }
  const nameOf: NameOf = (agentId) => (
    <b>
      <AgentName members={chat.members.value} agentId={agentId} />
    </b>
  );
  if (isDecision(envelope)) return <DecisionLine envelope={envelope} nameOf={nameOf} />;
  const claim = claimText(chat, envelope, nameOf);
  if (event.type === 'collaboration.event' && claim === null) {
    return <CollaborationEvent envelope={envelope} event={event} nameOf={nameOf} />;
  }
  return (
    <p class="system-event quiet" title={fullTimeText(timestamp)}>
      {claim ?? systemEventText(envelope, nameOf)}
    </p>
  );
}

type NameOf = (agentId: string) => ComponentChildren;

/** Says which agent took or released a thread, with a link to the thread. Returns null for other events. */
function claimText(chat: Chat, { event }: Envelope, nameOf: NameOf): ComponentChildren[] | null {
  if (event.type !== 'collaboration.event') return null;
  const { name, payload } = event;
  const { threadId, agentId, expired } = payload;
  if (typeof threadId !== 'string' || typeof agentId !== 'string') return null;
  const thread = <a href={hashOf(channelRoute(chat.id, threadId))}>a thread</a>;
  if (name === 'claim.granted') return [nameOf(agentId), ' takes on ', thread];
  if (name !== 'claim.released') return null;
  return [nameOf(agentId), expired === true ? ' ran out of time for ' : ' let go of ', thread];
}

function systemEventText({ event, senderId }: Envelope, nameOf: NameOf): ComponentChildren {
  const isOwn = 'member' in event && event.member.agentId === senderId;
  switch (event.type) {
    case 'channel.member.join':
      return [
        nameOf(event.member.agentId),
        ...(isOwn ? [' joined'] : [' was added by ', nameOf(senderId)]),
      ];
    case 'channel.member.leave':
      return [
        nameOf(event.member.agentId),
        ...(isOwn ? [' left'] : [' was removed by ', nameOf(senderId)]),
      ];
    case 'channel.update': {
      const { topic, name } = event.channel;
      const about = topic === null ? name : `${name} · ${topic}`;
      return [nameOf(senderId), ' changed the channel: ', <IsolatedText text={about} />];
    }
    case 'channel.archive':
      return [nameOf(senderId), ' archived the channel'];
    default:
      return null;
  }
}

function CollaborationEvent(props: {
  envelope: Envelope;
  event: EventOf<'collaboration.event'>;
  nameOf: NameOf;
}) {
  const { senderId, timestamp } = props.envelope;
  const { name, payload } = props.event;
  const line = (
    <>
      <Avatar agentId={senderId} isSmall />
      {props.nameOf(senderId)}
      <code class="event-name ellipsis">{visibleString(name)}</code>
      <span class="quiet fill ellipsis">{payloadSummary(payload)}</span>
      <time class="quiet" title={fullTimeText(timestamp)}>
        {timeText(timestamp)}
      </time>
    </>
  );
  if (Object.keys(payload).length === 0) return <div class="collaboration line">{line}</div>;
  return (
    <details class="collaboration">
      <summary class="line">{line}</summary>
      <pre tabIndex={0}>{visibleString(JSON.stringify(payload, null, 2))}</pre>
    </details>
  );
}
