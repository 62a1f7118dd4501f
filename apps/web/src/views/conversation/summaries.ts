import type { JsonObject, Thread } from '@openclaw/protocol';
import { visibleString } from '../../markdown/visible-text.ts';

const fieldsMax = 5;
const valueCharsMax = 48;

/** Returns, for example, `step 3 · model opus · ok yes`. */
export function payloadSummary(payload: JsonObject): string {
  const fields = Object.entries(payload);
  const shown = fields.slice(0, fieldsMax).map(([name, value]) => `${name} ${valueText(value)}`);
  if (fields.length > fieldsMax) shown.push('…');
  return visibleString(shown.join(' · '));
}

function valueText(value: unknown): string {
  if (value === null) return '–';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.length === 1 ? '1 item' : `${value.length} items`;
  if (typeof value === 'object') return '{…}';
  const text = (typeof value === 'string' ? value : JSON.stringify(value)).replace(/\s+/g, ' ');
  return text.length > valueCharsMax ? `${text.slice(0, valueCharsMax)}…` : text;
}

export function threadSummary({ title, replies }: Thread): string | null {
  const count = replies === 1 ? '1 reply' : `${replies} replies`;
  if (title !== null) return `${title} · ${count}`;
  return replies === 0 ? null : count;
}

/** Returns, for example, “ada, bob and 9 others are typing”. Null when no agent is typing. */
export function typingSummary([first, second, ...others]: readonly string[]): string | null {
  if (first === undefined) return null;
  if (second === undefined) return `${first} is typing`;
  if (others.length === 0) return `${first} and ${second} are typing`;
  const more = others.length === 1 ? 'one other' : `${others.length} others`;
  return `${first}, ${second} and ${more} are typing`;
}
