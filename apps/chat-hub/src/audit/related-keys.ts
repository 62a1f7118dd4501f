import {
  createKeySchema,
  keyTable,
  parseRosterMember,
  type KeyKind,
  type KeySchema,
} from '@openclaw/key-schema';
import type { RedisCommand, RedisServerLink } from '@openclaw/redis-client';
import type { Check, Problem } from './findings.ts';
import { batch, type KeyFacts } from './key-facts.ts';
import { leaseMaxMs, seconds, toleranceMs } from './key-checks.ts';

const leasesMax = 100;
/** If a lease still exists this long after its expiry, no running hub reaps it. */
const unreapedMs = 2 * leaseMaxMs;

const relatedKinds: ReadonlySet<KeyKind> = new Set([
  'roster',
  'rosterAgents',
  'presence',
  'rateLimitWindow',
]);

export function hasRelated({ kind, type }: KeyFacts): boolean {
  return relatedKinds.has(kind) && type === keyTable[kind].redisType;
}

/**
 * Checks for leases whose agent has no hash, for hashes without a lease, and for indexes that do not match their
 * roster. Costs one or two round trips. A hub repairs the effects of an eviction with its next heartbeat, so only a
 * lasting problem is a fault.
 */
export async function checkRelated(
  server: RedisServerLink,
  facts: KeyFacts,
  prefix: string,
): Promise<Problem[]> {
  const keys = createKeySchema({ prefix, hashTags: facts.hasHashTag === true });
  const found: { check: Check; text: string }[] = [];
  const report = (check: Check, text: string) => found.push({ check, text });
  if (facts.kind === 'roster') await checkRoster(server, facts, keys, report);
  else if (await isAlone(server, facts, keys))
    report('orphan', aloneTexts[facts.kind] ?? 'is alone');
  const subject = keyTable[facts.kind].pattern;
  return found.map(({ check, text }) => ({ check, subject, key: facts.name, text }));
}

const aloneTexts: Partial<Record<KeyKind, string>> = {
  rosterAgents: 'is an index without its roster',
  presence: 'is the hash of an agent without a lease in this channel',
  rateLimitWindow: 'is a window without its counter',
};

async function isAlone(
  server: RedisServerLink,
  { name, kind, channelId, agentId, action }: KeyFacts,
  keys: KeySchema,
): Promise<boolean> {
  const channel = channelId ?? '';
  const agent = agentId ?? '';
  const lookUp: RedisCommand =
    kind === 'presence'
      ? // The range holds exactly the members that begin with the agentId and a space, because `!` directly follows the
        // space.
        ['ZRANGEBYLEX', keys.rosterAgents(channel), `[${agent} `, `(${agent}!`, 'LIMIT', 0, 1]
      : kind === 'rosterAgents'
        ? ['EXISTS', keys.roster(channel)]
        : ['EXISTS', keys.rateLimit(action ?? '', agent)];
  // The key itself is read last. If it no longer exists, the result of the look-up is ignored.
  const [others, self] = await batch(server, [lookUp, ['EXISTS', name]]);
  return self === 1 && (others === 0 || (Array.isArray(others) && others.length === 0));
}

async function checkRoster(
  server: RedisServerLink,
  { name, channelId, pttlMs }: KeyFacts,
  keys: KeySchema,
  report: (check: Check, text: string) => void,
): Promise<void> {
  const channel = channelId ?? '';
  const replies = await batch(server, [
    ['TIME'],
    ['ZRANGE', name, 0, leasesMax - 1, 'WITHSCORES'],
    ['ZRANGE', name, -1, -1, 'WITHSCORES'],
    ['ZCARD', name],
    ['ZCARD', keys.rosterAgents(channel)],
  ]);
  const [time, first, last, leaseCount, indexCount] = replies;
  if (!Array.isArray(time) || !Array.isArray(first) || !Array.isArray(last)) return;
  const nowMs = Number(time[0]) * 1000 + Number(time[1]) / 1000;
  if (typeof indexCount === 'number' && leaseCount !== 0 && indexCount !== leaseCount)
    report('orphan', `has ${String(leaseCount)} leases, and its index ${indexCount}`);
  const endsAtMs = Number(last[1]);
  if (endsAtMs > nowMs + leaseMaxMs + toleranceMs)
    report('wrong TTL', `has a lease that ends in ${seconds(endsAtMs - nowMs)}`);
  else if (pttlMs !== null && nowMs + pttlMs > endsAtMs + leaseMaxMs + toleranceMs)
    report('wrong TTL', `outlives its last lease by ${seconds(nowMs + pttlMs - endsAtMs)}`);

  const agents = new Set<string>();
  for (let at = 0; at + 1 < first.length; at += 2) {
    const lease = parseRosterMember(String(first[at]));
    const leftMs = Number(first[at + 1]) - nowMs;
    if (lease === null) report('malformed', 'has a member that is no lease');
    else if (leftMs > 0) agents.add(lease.agentId);
    else if (leftMs < -unreapedMs)
      report('orphan', `has a lease that expired ${seconds(-leftMs)} ago, and nothing ends it`);
  }
  const listed = [...agents];
  const hashes = await batch(
    server,
    listed.map((agentId) => ['EXISTS', keys.presence(channel, agentId)]),
  );
  const without = listed.filter((_, at) => hashes[at] === 0);
  if (without.length > 0)
    report(
      'orphan',
      `has ${without.length} leases whose agents have no hash, such as ${without[0]}`,
    );
}
