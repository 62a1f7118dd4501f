import type { ComponentChildren } from 'preact';
import type { Envelope, EventOf } from '@openclaw/protocol';
import { visibleString } from '../../markdown/visible-text.ts';
import type { Chat } from '../../store/chat.ts';
import { questionIn } from '../../store/questions.ts';
import { isDecision } from '../decisions/decision-event.ts';
import { DecisionLine } from '../decisions/decision-line.tsx';
import { QuestionCard } from '../decisions/question-card.tsx';
import { Avatar, IsolatedText } from '../shared/agents.tsx';
import { fullTimeText, timeText } from '../shared/format-time.ts';
import { payloadSummary } from './summaries.ts';

export function SystemEventRow({ chat, envelope }: { chat: Chat; envelope: Envelope }) {
  const { event, timestamp } = envelope;
  const question = questionIn(envelope);
  if (question !== null) {
    return <QuestionCard chat={chat} opened={question} openedAtMs={timestamp} isInThread={false} />;
  }
  if (isDecision(envelope)) return <DecisionLine envelope={envelope} />;
  if (event.type === 'collaboration.event' && !event.name.startsWith('claim.')) {
    return <CollaborationEvent envelope={envelope} event={event} />;
  }
  return (
    <p class="system-event quiet" title={fullTimeText(timestamp)}>
      {systemEventText(envelope)}
    </p>
  );
}

function systemEventText({ event, senderId }: Envelope): ComponentChildren {
  const isOwn = 'member' in event && event.member.agentId === senderId;
  switch (event.type) {
    case 'channel.member.join':
      return [bold(event.member.agentId), isOwn ? ' joined' : ` was added by ${senderId}`];
    case 'channel.member.leave':
      return [bold(event.member.agentId), isOwn ? ' left' : ` was removed by ${senderId}`];
    case 'channel.update': {
      const { topic, name } = event.channel;
      const about = topic === null ? name : `${name} · ${topic}`;
      return [bold(senderId), ' changed the channel: ', <IsolatedText text={about} />];
    }
    case 'channel.archive':
      return [bold(senderId), ' archived the channel'];
    case 'collaboration.event':
      return [bold(String(event.payload['agentId'])), claimText(event)];
    default:
      return null;
  }
}

function claimText({ name, payload }: EventOf<'collaboration.event'>): string {
  if (name === 'claim.granted') return ' took a thread';
  return payload['expired'] === true ? ' held a thread for too long' : ' gave a thread back';
}

const bold = (text: string) => <b>{text}</b>;

function CollaborationEvent(props: { envelope: Envelope; event: EventOf<'collaboration.event'> }) {
  const { senderId, timestamp } = props.envelope;
  const { name, payload } = props.event;
  const line = (
    <>
      <Avatar agentId={senderId} isSmall />
      <b>{senderId}</b>
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
