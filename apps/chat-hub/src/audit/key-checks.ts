import {
  isNameId,
  keyLimits,
  keyTable,
  recentMessagesMax,
  ttlMs as ttls,
  type KeyKind,
} from '@openclaw/key-schema';
import type { Check, Problem } from './findings.ts';
import type { KeyFacts } from './key-facts.ts';

export interface Expected {
  readonly prefix: string;
  readonly isCluster: boolean;
  /** Maps actions to their windows. Any other action has the window of the key schema. */
  readonly windowsMs: Readonly<Record<string, number>>;
}

/** The longest lease. A roster's key may still exist for this time after its last lease ended. */
export const leaseMaxMs = keyTable.presence.ttlMs;
/** Some writers round a TTL up to the next second. */
export const toleranceMs = 1_000;

export function checkKey(facts: KeyFacts, expected: Expected): Problem[] {
  const { kind, name: key, type } = facts;
  const row = keyTable[kind];
  const problems: Problem[] = [];
  const report = (check: Check, text: string) =>
    problems.push({ check, subject: row.pattern, key, text });

  if (facts.hasHashTag === false && expected.isCluster)
    report('slot split', 'has no hash tag: on Cluster the keys of one channel lie on many servers');
  if (facts.hasHashTag === true && !expected.isCluster)
    report('slot split', 'has a hash tag, though this is no Cluster: two kinds of hubs write here');

  const ttl = ttlProblem(facts, expected);
  if (ttl !== null) report(ttl.check, ttl.text);
  if (type !== row.redisType) {
    report('wrong type', `is a ${type}, not a ${row.redisType}`);
    return problems;
  }
  const { maxMembers, maxBytes } = keyLimits[kind];
  if (maxMembers !== null && (facts.members ?? 0) > maxMembers)
    report('oversized', `has ${facts.members} members, at most ${maxMembers} are right`);
  if (maxBytes !== null && (facts.bytes ?? 0) > maxBytes)
    report('oversized', `has ${facts.bytes} bytes, at most ${maxBytes} are right`);
  const malformed = valueProblem(facts);
  if (malformed !== null) report('malformed', malformed);
  return problems;
}

function ttlProblem(
  { kind, action, pttlMs }: KeyFacts,
  { windowsMs }: Expected,
): { readonly check: Check; readonly text: string } | null {
  const { ttlMs } = keyTable[kind];
  if (ttlMs === null) {
    return pttlMs === null
      ? null
      : { check: 'wrong TTL', text: `expires in ${seconds(pttlMs)}, and should not` };
  }
  const longestMs = longestTtlMs(kind, action, windowsMs);
  if (pttlMs === null)
    return { check: 'missing TTL', text: `never expires; at most ${seconds(longestMs)} are right` };
  if (pttlMs <= longestMs + toleranceMs) return null;
  return {
    check: 'wrong TTL',
    text: `expires in ${seconds(pttlMs)}; at most ${seconds(longestMs)} are right`,
  };
}

function longestTtlMs(kind: KeyKind, action: string | null, windowsMs: Expected['windowsMs']) {
  const { ttlMs } = keyTable[kind];
  if (kind === 'rateLimit' || kind === 'rateLimitWindow') {
    const windowMs = windowsMs[action ?? ''] ?? keyTable.rateLimit.ttlMs;
    // A slice is a sixtieth of the window. The newest slice counts until its last request is one window old, so the key
    // lives for a window and a slice.
    return windowMs + Math.ceil(windowMs / 60);
  }
  if (ttlMs === 'caller') return ttls.cachedValueMax;
  return typeof ttlMs === 'number' ? ttlMs : 2 * leaseMaxMs;
}

export function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}

function valueProblem({ kind, channelId, agentId, value }: KeyFacts): string | null {
  if (value === null) return null;
  if (typeof value !== 'string') {
    const [owner, status, lastSeen] = value;
    if (owner !== agentId) return 'is the hash of another agent';
    if (!['online', 'away', 'dnd'].includes(status ?? '')) return 'has no valid status';
    return /^\d+$/.test(lastSeen ?? '') ? null : 'has no valid lastSeen';
  }
  if (kind === 'sequence' || kind === 'rateLimit')
    return /^\d+$/.test(value) ? null : 'is not a decimal number';
  if (kind === 'databaseHub') return isNameId(value) ? null : 'is not the id of a hub';
  if (kind === 'cachedValueLease' || (kind === 'cachedValue' && value === '')) return null;
  const parsed = parseJson(value);
  if (kind === 'cachedValue') return parsed === undefined ? 'is not JSON' : null;
  if (kind === 'recentMessages') {
    if (!Array.isArray(parsed)) return 'is not a JSON array';
    return parsed.length <= recentMessagesMax
      ? null
      : `has ${parsed.length} messages, at most ${recentMessagesMax} are right`;
  }
  const cached = parsed as { channelId?: unknown } | null | undefined;
  if (typeof cached !== 'object' || cached === null) return 'is not a JSON object';
  return cached.channelId === channelId ? null : 'is the row of another channel';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
