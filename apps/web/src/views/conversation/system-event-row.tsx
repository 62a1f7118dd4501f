import type { Envelope, JsonObject } from '@openclaw/protocol';
import { visibleString } from '../../markdown/visible-text.ts';
import { Avatar } from '../shared/avatar.tsx';
import { timeText, wholeText } from '../shared/format-time.ts';
import { Plain } from '../shared/isolated-text.tsx';
import { payloadSummary } from './payload-summary.ts';

/** Something that happened between the messages: who came and went, what agents reported. */
export function HappeningRow({ envelope }: { envelope: Envelope }) {
  const { event, senderId, timestamp } = envelope;
  if (event.type === 'collaboration.event') {
    return (
      <CollaborationRow {...{ senderId, timestamp }} name={event.name} payload={event.payload} />
    );
  }
  return (
    <p class="happening" title={wholeText(timestamp)}>
      <HappeningText envelope={envelope} />
    </p>
  );
}

function HappeningText({ envelope: { event, senderId } }: { envelope: Envelope }) {
  switch (event.type) {
    case 'channel.member.join':
      return (
        <>
          <b>{event.member.agentId}</b>{' '}
          {event.member.agentId === senderId ? 'joined' : `was added by ${senderId}`}
        </>
      );
    case 'channel.member.leave':
      return (
        <>
          <b>{event.member.agentId}</b>{' '}
          {event.member.agentId === senderId ? 'left' : `was removed by ${senderId}`}
        </>
      );
    case 'channel.update':
      return (
        <>
          <b>{senderId}</b> changed the channel:{' '}
          <Plain text={event.channel.topic ?? event.channel.name} />
        </>
      );
    case 'channel.archive':
      return (
        <>
          <b>{senderId}</b> archived the channel
        </>
      );
    default:
      return null;
  }
}

function CollaborationRow(props: {
  senderId: string;
  timestamp: number;
  name: string;
  payload: JsonObject;
}) {
  const { senderId, timestamp, name, payload } = props;
  const isEmpty = Object.keys(payload).length === 0;
  const line = (
    <>
      <Avatar agentId={senderId} isSmall />
      <b>{senderId}</b>
      <code class="event-name">{visibleString(name)}</code>
      <span class="quiet event-summary">{payloadSummary(payload)}</span>
      <time class="quiet" title={wholeText(timestamp)}>
        {timeText(timestamp)}
      </time>
    </>
  );
  if (isEmpty) return <div class="collaboration">{line}</div>;
  return (
    <details class="collaboration">
      <summary>{line}</summary>
      <pre tabIndex={0}>{visibleString(JSON.stringify(payload, null, 2))}</pre>
    </details>
  );
}
