import { setTimeout as delay } from 'node:timers/promises';
import { keyTable } from '@openclaw/key-schema';
import type { RedisServerLink, RedisServers } from '@openclaw/redis-client';
import { createFindings, printable, type Finding } from './findings.ts';
import { checkKey, type Expected } from './key-checks.ts';
import { readPage, type KeyFacts } from './key-facts.ts';
import { checkRelated, hasRelated } from './related-keys.ts';
import { checkServer, type RedisRole, type ServerReport } from './server-checks.ts';
import { walk } from './walk.ts';

export interface AuditOptions {
  readonly prefix: string;
  readonly role: RedisRole;
  /** If true, keys with other prefixes are ignored. */
  readonly isShared: boolean;
  readonly count: number;
  readonly keysPerSecond: number;
  readonly maxSamples: number;
  /** Possible orphans are checked again after this time. By then, hubs have repaired the effects of an eviction. */
  readonly recheckMs: number;
  readonly windowsMs: Readonly<Record<string, number>>;
}

export interface KindTotals {
  readonly pattern: string;
  keys: number;
  bytes: number;
  largestBytes: number;
  largestKey: string | null;
}

export interface AuditReport {
  readonly clean: boolean;
  readonly mode: RedisServers['mode'];
  readonly role: RedisRole;
  readonly prefix: string;
  readonly servers: readonly Omit<ServerReport, 'problems' | 'notes'>[];
  /** The number of keys that SCAN returned. A key may count twice while Redis resizes its table. */
  readonly keys: number;
  readonly kinds: readonly Readonly<KindTotals>[];
  readonly findings: readonly Finding[];
  readonly notes: readonly string[];
  readonly durationMs: number;
}

export interface Progress {
  readonly keys: number;
  readonly ofKeys: number | null;
  readonly findings: number;
}

interface Suspect {
  readonly server: RedisServerLink;
  readonly key: KeyFacts;
}

const suspectsMax = 1_000;

/** The audit only reads, and uses bounded memory. @throws {RedisClientError} when a server fails during the walk */
export async function audit(
  { mode, servers }: RedisServers,
  options: AuditOptions,
  onProgress: (progress: Progress) => void = () => undefined,
): Promise<AuditReport> {
  const startMs = performance.now();
  const { prefix, role, isShared } = options;
  const isCluster = mode === 'cluster';
  const expected: Expected = { prefix, isCluster, windowsMs: options.windowsMs };
  const findings = createFindings(options.maxSamples);
  const notes = new Set<string>();
  const denied = new Set<string>();
  const kinds = new Map<string, KindTotals>();
  const suspects: Suspect[] = [];
  let skippedSuspects = 0;
  let keys = 0;

  const reports: ServerReport[] = [];
  for (const server of servers) reports.push(await checkServer(server, role, isCluster));
  for (const report of reports) {
    report.problems.forEach((problem) => findings.add(problem));
    report.notes.forEach((note) => notes.add(note));
  }
  const sizes = reports.map((report) => report.keys);
  const ofKeys = sizes.includes(null) ? null : sizes.reduce<number>((sum, n) => sum + (n ?? 0), 0);

  async function examine(server: RedisServerLink, names: readonly string[]): Promise<void> {
    keys += names.length;
    const ours = names.filter((name) => name.startsWith(prefix));
    if (!isShared) {
      for (const key of names) {
        if (!key.startsWith(prefix))
          findings.add({
            check: 'foreign key',
            subject: 'keys of other programs',
            key,
            text: 'belongs to another program, and is evicted together with ours',
          });
      }
    }
    const page = await readPage(server, ours, prefix);
    page.denied.forEach((command) => denied.add(command));
    for (const key of page.unknown)
      findings.add({
        check: 'unknown name',
        subject: `${prefix}…`,
        key,
        text: 'matches no row of the key table',
      });
    for (const key of page.facts) {
      addTo(kinds, key);
      checkKey(key, expected).forEach((problem) => findings.add(problem));
      if (!hasRelated(key)) continue;
      const problems = await checkRelated(server, key, prefix);
      if (problems.length === 0) continue;
      if (suspects.length < suspectsMax) suspects.push({ server, key });
      else skippedSuspects += 1;
    }
    onProgress({ keys, ofKeys, findings: findings.count });
  }

  for (const server of servers) {
    const walked = { ...options, prefix: isShared ? prefix : null };
    await walk(server, walked, (names) => examine(server, names));
  }
  if (suspects.length > 0) {
    await delay(options.recheckMs);
    for (const { server, key } of suspects) await lookAgain(server, key);
  }

  /** The TTL of the first read is outdated, so the key is read again. */
  async function lookAgain(server: RedisServerLink, { name }: KeyFacts): Promise<void> {
    const [key] = (await readPage(server, [name], prefix)).facts;
    if (!key || !hasRelated(key)) return;
    (await checkRelated(server, key, prefix)).forEach((problem) => findings.add(problem));
  }

  if (skippedSuspects > 0)
    notes.add(`${skippedSuspects} further keys may be orphans; they were not checked again`);
  if (denied.size > 0)
    notes.add(
      `the user may not run ${[...denied].join(', ')}, so the checks that need it are missing`,
    );
  return {
    clean: findings.count === 0,
    mode,
    role,
    prefix,
    servers: reports.map(({ problems: _problems, notes: _notes, ...server }) => server),
    keys,
    kinds: [...kinds.values()],
    findings: findings.list(),
    notes: [...notes],
    durationMs: Math.round(performance.now() - startMs),
  };
}

function addTo(kinds: Map<string, KindTotals>, { kind, name, bytes }: KeyFacts): void {
  const { pattern } = keyTable[kind];
  const totals = kinds.get(pattern) ?? {
    pattern,
    keys: 0,
    bytes: 0,
    largestBytes: 0,
    largestKey: null,
  };
  totals.keys += 1;
  totals.bytes += bytes ?? 0;
  if ((bytes ?? 0) > totals.largestBytes) {
    totals.largestBytes = bytes ?? 0;
    totals.largestKey = printable(name);
  }
  kinds.set(pattern, totals);
}
