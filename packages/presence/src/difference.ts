import type { PresenceRecord } from './state.ts';

function looksSame(a: PresenceRecord, b: PresenceRecord): boolean {
  return a.status === b.status && a.customStatus === b.customStatus && a.avatar === b.avatar;
}

/**
 * What has to be told to someone who was told `told`, so that they know `present`: records that are new or differ
 * (lastSeen apart), and an offline record for each agent that is there no more. Touches nothing.
 */
export function presenceDifference(
  told: Iterable<PresenceRecord>,
  present: Iterable<PresenceRecord>,
): PresenceRecord[] {
  const known = new Map<string, PresenceRecord>();
  for (const record of told) {
    if (record.status !== 'offline') known.set(record.agentId, record);
  }
  const news: PresenceRecord[] = [];
  for (const record of present) {
    const old = known.get(record.agentId);
    known.delete(record.agentId);
    if (!old || !looksSame(old, record)) news.push(record);
  }
  for (const record of known.values()) news.push({ ...record, status: 'offline' });
  return news;
}
