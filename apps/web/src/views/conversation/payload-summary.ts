import type { JsonObject } from '@openclaw/protocol';
import { visibleString } from '../../markdown/visible-text.ts';

const fieldsMax = 5;
const valueCharsMax = 48;

/** The first plain fields of a payload, in one line: `step 3 · model opus · ok yes`. */
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
