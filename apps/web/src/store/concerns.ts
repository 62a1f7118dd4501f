import type { Envelope, JsonObject, Message } from '@openclaw/protocol';

export type NeedKind = 'mention' | 'direct' | 'reply' | 'ask' | 'question' | 'answer' | 'failure';

export interface Need {
  /** The id consists of channel and seq, so it is the same in every tab and after a reload. */
  readonly id: string;
  readonly kind: NeedKind;
  readonly channelId: string;
  readonly seq: number;
  readonly messageId: string | null;
  readonly threadId: string | null;
  /** The sender is null where the hub gave only a line of text. */
  readonly senderId: string | null;
  /** The text is the beginning of the message, with its Markdown, or the words of an event. */
  readonly text: string;
  readonly atMs: number;
}

export const needId = (channelId: string, seq: number): string => `${channelId}/${seq}`;

// This is longer than the shown line, because the line omits the syntax of Markdown and the addresses of links.
const textChars = 1_000;
export const shortText = (text: string): string => text.slice(0, textChars);

// Matches names that agents give to failures, such as `task.failed` or `build_error`, and names of the hub's own
// events.
const failureName = /(^|[._-])(fail(ed|ure)?|error|crash(ed)?|exhausted)$/i;
const failureWords: Readonly<Record<string, string>> = {
  'budget.exhausted': 'The agents here have used up their turns: they wait for a person.',
};

export function failureOf(envelope: Envelope): Need | null {
  const { event, seq, channelId, senderId, timestamp } = envelope;
  if (seq === null || channelId === null) return null;
  const failure = { id: needId(channelId, seq), kind: 'failure', channelId, seq } as const;
  if (event.type === 'collaboration.event' && failureName.test(event.name)) {
    const text = failureWords[event.name] ?? `${event.name}: ${firstText(event.payload)}`;
    const threadId = textOf(event.payload['threadId']);
    return {
      ...{ ...failure, messageId: null, threadId, senderId },
      ...{ text: shortText(text), atMs: timestamp },
    };
  }
  if (event.type === 'channel.message.edit' && hasBroken(event.message)) {
    const { message } = event;
    return {
      ...{ ...failure, messageId: message.id, threadId: message.threadId },
      // A streamed message is shown at the seq of its beginning.
      ...{ seq: message.seq, senderId: message.senderId, atMs: timestamp },
      text: shortText(`The message ended early: ${message.content}`),
    };
  }
  return null;
}

const hasBroken = ({ state, deletedAt }: Message) =>
  deletedAt === null && (state === 'failed' || state === 'interrupted');

function firstText(payload: JsonObject): string {
  const texts = Object.values(payload).flatMap((value) => textOf(value) ?? []);
  return texts.join(' · ') || 'no details';
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** True if the event may change the reader's inbox. */
export function mayConcern({ event, senderId }: Envelope, me: string, isDirect: boolean): boolean {
  switch (event.type) {
    case 'channel.message':
    case 'thread.message': {
      const { mentions, mentionsAll, threadId, replyTo } = event.message;
      if (senderId === me) return false;
      const isAddressed = isDirect || mentions.includes(me) || mentionsAll === true;
      return isAddressed || threadId !== null || replyTo !== undefined;
    }
    case 'channel.message.edit':
    case 'channel.message.delete':
      return isDirect || event.message.mentions.includes(me) || event.message.threadId !== null;
    case 'collaboration.event':
      return /^(ask|question)\./.test(event.name);
    default:
      return false;
  }
}
