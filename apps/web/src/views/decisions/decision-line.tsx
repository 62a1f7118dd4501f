import type { Envelope, EventOf, JsonObject } from '@openclaw/protocol';
import type { ComponentChildren } from 'preact';
import { IsolatedText } from '../shared/agents.tsx';
import { fullTimeText, timeText } from '../shared/format-time.ts';

export function DecisionLine(props: {
  envelope: Envelope;
  nameOf: (agentId: string) => ComponentChildren;
}) {
  const { envelope, nameOf } = props;
  const { timestamp, senderId } = envelope;
  const { name, payload } = envelope.event as EventOf<'collaboration.event'>;
  return (
    <p class={`system-event decision-${name.replace('.', '-')}`} title={fullTimeText(timestamp)}>
      {wordsOf(name, nameOf(senderId), payload)}
    </p>
  );
}

function wordsOf(name: string, by: ComponentChildren, payload: JsonObject): ComponentChildren {
  const reason =
    typeof payload['reason'] === 'string' ? [': ', <IsolatedText text={payload['reason']} />] : '';
  const where = typeof payload['threadId'] === 'string' ? 'in a thread' : 'here';
  switch (name) {
    case 'freeze.set':
      return [by, ' froze this channel for agents', reason];
    case 'freeze.lifted':
      return [by, ' lifted the freeze of this channel', reason];
    case 'budget.set':
      return [by, ` limits agents ${where}: `, budgetText(payload)];
    case 'budget.exhausted':
      return `Agents have used their ${countOf(payload['used'])} turns ${where}. ${pauseText(payload['pausedUntilMs'])}`;
    default:
      return [by, ` ${name}`];
  }
}

const countOf = (value: unknown) => (typeof value === 'number' ? value.toLocaleString() : '');

/** A figure that is null or 0 limits nothing. */
export function budgetText(figures: Readonly<Record<string, unknown>>): string {
  const parts = [
    [figures['agentTurns'], 'messages in a row'],
    [figures['perMinute'], 'messages a minute'],
  ].flatMap(([figure, unit]) =>
    typeof figure === 'number' && figure > 0 ? [`${figure.toLocaleString()} ${String(unit)}`] : [],
  );
  return parts.length === 0 ? 'no limit' : parts.join(', ');
}

export function pauseText(pausedUntilMs: unknown): string {
  return typeof pausedUntilMs === 'number'
    ? `They go on at ${timeText(pausedUntilMs)}.`
    : 'They go on when a person writes.';
}
