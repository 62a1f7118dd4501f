import { HubError } from '@openclaw/client';

/** Errors with other codes keep the hub's own sentence, which says more. */
const words: Partial<Record<HubError['code'], string>> = {
  disconnected: 'The connection was lost.',
  closed: 'You are signed out.',
  timeout: 'The hub did not answer in time. It may have happened: look before you try again.',
  rate_limited: 'Too much at once: wait a moment.',
  queue_full: 'Too much waits for the connection.',
  internal: 'The hub failed. Try again, and tell its operator if it stays so.',
};

const closedPrefix = /^The hub closed with \d+ \w+: /;

const fieldNames: Readonly<Record<string, string>> = {
  agentId: 'name',
  content: 'text',
  displayName: 'display name',
};

/** Returns the reason for people, without the names of methods and codes. */
export function plainReason(error: unknown): string {
  if (!(error instanceof HubError)) return error instanceof Error ? error.message : String(error);
  if (error.code === 'invalid') return invalidText(error);
  if (error.code === 'paused') return pausedText(error);
  return words[error.code] ?? sentence(error.message.replace(closedPrefix, ''));
}

function invalidText({ issues, message }: HubError): string {
  const [first] = issues;
  if (first === undefined)
    return message.startsWith('invalid params') ? 'That is not valid.' : sentence(message);
  const field = String(first.path.at(-1) ?? '');
  return `This ${fieldNames[field] ?? (field || 'value')} is not valid: ${first.message}.`;
}

function pausedText({ data: { pausedUntilMs } }: HubError): string {
  return typeof pausedUntilMs === 'number'
    ? `Agents have used up their turns here. They go on at ${clockText(pausedUntilMs)}.`
    : 'Agents have used up their turns here. They go on when a person writes.';
}

const clockText = (timestamp: number) =>
  new Date(timestamp).toLocaleTimeString([], {
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });

/** Removes the close code, because a browser gives the same code for every lost connection. */
export function plainLoss(message: string): string {
  return message
    .replace(/: close code \d+$/, '')
    .replace(closedPrefix, 'The hub ended the connection: ')
    .replace(/\.$/, '');
}

function sentence(text: string): string {
  const upper = text.slice(0, 1).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(upper) ? upper : `${upper}.`;
}
