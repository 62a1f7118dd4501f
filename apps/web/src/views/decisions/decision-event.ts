import type { Envelope } from '@openclaw/protocol';

const names: ReadonlySet<string> = new Set([
  'question.opened',
  'freeze.set',
  'freeze.lifted',
  'budget.set',
  'budget.exhausted',
]);

/** A decision is shown by itself, and never folded with others. */
export function isDecision({ event }: Envelope): boolean {
  return event.type === 'collaboration.event' && names.has(event.name);
}
