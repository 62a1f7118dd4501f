import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { entryOf, readLogAt, type SoakReport } from './report.ts';
import { errandChannelId, startErrands, type Errands } from './errands.ts';
import type { ErrandTotals } from './errand-log.ts';
import { createEventLoops } from './event-loops.ts';
import { createFaultLog, injectFault } from './fault-run.ts';
import { createFleet, type Fleet, type FleetOptions } from './fleet.ts';
import { createLedger } from '@openclaw/test-support';
import { createPresenceWatch } from './presence-watch.ts';
import { createRandom } from './random.ts';
import { createRecovery } from './recovery.ts';
import { formatFault, type ScheduledFault } from './schedule.ts';
import type { Records } from './subscriber.ts';
import {
  channelIdsOf,
  startSystem,
  type HubSite,
  type System,
  type SystemOptions,
} from './system.ts';
import { raceChannelId, startRemovalRace, type RemovalRace } from './removal-race.ts';
import { createViolations, formatViolation, type Violations } from './violations.ts';
import { startWorkload, type WorkloadOptions } from './workload.ts';

export interface SoakOptions {
  readonly seed: number;
  readonly system: SystemOptions;
  readonly fleet: FleetOptions;
  readonly workload: WorkloadOptions;
  /** Faults are injected for this time. The final checks follow, and take longer than a lease. */
  readonly durationMs: number;
  /**
   * The longest wait after the last fault. A wait that is shorter than a lease misses some violations of presence.
   * @default unlimited
   */
  readonly maxRestMs?: number;
  readonly schedule: Iterator<ScheduledFault>;
}

export interface SoakHooks {
  readonly signal?: AbortSignal;
  readonly onProgress?: (line: string) => void;
}

const warmUpMs = 3_000;
const answersTimeoutMs = 75_000;
const headsTimeoutMs = 15_000;
const settleMs = 1_500;
const sweepMs = 1_000;
const listingEveryMs = 5_000;
const progressEveryMs = 60_000;
const loopsEveryMs = 2_000;

/** Runs the system under faults, waits until nothing is in flight, and checks everything. */
export async function runSoak(plan: SoakOptions, hooks: SoakHooks = {}): Promise<SoakReport> {
  const { onProgress: say = () => undefined, signal = new AbortController().signal } = hooks;
  const startMs = Date.now();
  const random = createRandom(plan.seed);
  const faultLog = createFaultLog(startMs);
  const since = () => `${((Date.now() - startMs) / 1000).toFixed(1).padStart(6)} s`;
  const violations = createViolations(
    (atMs) => faultLog.before(atMs),
    (violation) => say(`${since()}  VIOLATION ${formatViolation(violation, startMs)}`),
  );
  const presence = createPresenceWatch(violations);
  const recovery = createRecovery();
  const records: Records = {
    ledger: createLedger((kind, text, atMs) => violations.add(kind, text, atMs)),
    presence,
    recovery,
    violations,
  };

  const system = await startSystem(plan.system, channelIdsOf(plan.fleet.channels));
  const eventLoops = createEventLoops();
  const ownDelay = monitorEventLoopDelay();
  let keepsLogs = true;
  let fleet: Fleet | null = null;
  let race: RemovalRace | null = null;
  let errands: Errands | null = null;
  const timers: NodeJS.Timeout[] = [];
  try {
    const addresses = system.sites.map(({ name, clientLink }) => ({ name, port: clientLink.port }));
    fleet = await createFleet(plan.fleet, addresses, random.fork('fleet'), records);
    const workload = startWorkload(fleet, random.fork('workload'), records, plan.workload);
    const { channelIds, directIds } = fleet;
    race = startRemovalRace(
      system.sites.map(({ hub }) => hub.port),
      violations,
    );
    errands = await startErrands(addresses, random.fork('errands'), violations);
    timers.push(
      setInterval(() => presence.sweep(), sweepMs),
      setInterval(() => void listPresence(system, channelIds, records), listingEveryMs),
      setInterval(() => {
        const isCalm = recovery.isCalm(loopsEveryMs);
        for (const { hub } of system.sites) void eventLoops.sample(hub.httpUrl, isCalm);
      }, loopsEveryMs),
      setInterval(() => say(`${since()}  ${progressOf(records)}`), progressEveryMs),
    );
    await wait(warmUpMs);
    ownDelay.enable();
    await injectAll(system, fleet, Date.now() + plan.durationMs);

    say(`${since()}  no more faults; waiting until nothing is in flight`);
    const restEndMs = Date.now() + (plan.maxRestMs ?? Infinity);
    await Promise.all([
      workload.stop(answersTimeoutMs),
      race.stop(),
      errands.stop(answersTimeoutMs),
    ]);
    const { open } = records.ledger.sends;
    if (open > 0) violations.add('unanswered', `${open} sends have no outcome`);
    // An interrupted run does not wait for leases to expire.
    while (Date.now() < Math.min(presence.settledAtMs, restEndMs) && !signal.aborted)
      await wait(500);
    await listPresence(system, channelIds, records);
    presence.sweep();
    await settle(system, [...channelIds, ...directIds], records);
    await settleRace(system, race, violations);
    const errandTotals = await settleErrands(system, errands, violations);
    keepsLogs = violations.total > 0;
    const { errors, ...totals } = records.ledger.sends.totals;
    return {
      seed: plan.seed,
      startMs,
      durationMs: Date.now() - startMs,
      isInterrupted: signal.aborted,
      sends: { ...totals, errors: Object.fromEntries(errors) },
      deliveries: records.ledger.deliveries,
      losses: presence.connections.losses,
      skipped: workload.skipped,
      presence: { ...presence.totals },
      faults: recovery.report(),
      calm: { ...recovery.calm },
      eventLoops: eventLoops.report(),
      racedReads: race.answers,
      errands: errandTotals && { ...errandTotals, crashes: errands.crashes },
      ownStallMs: ownDelay.max / 1e6,
      violationCount: violations.total,
      violationCounts: Object.fromEntries(violations.counts),
      violations: violations.kept,
      logFolder: keepsLogs ? system.folder : null,
    };
  } finally {
    timers.forEach(clearInterval);
    ownDelay.disable();
    await race?.stop();
    await errands?.close();
    await fleet?.close();
    await system.stop(keepsLogs);
  }

  async function wait(ms: number) {
    await delay(ms, undefined, { signal }).catch(() => undefined);
  }

  function inject(on: System, fault: ScheduledFault) {
    return injectFault(on, fault, records, faultLog, signal);
  }
  async function injectOverlapping(on: System, fault: ScheduledFault | undefined) {
    if (fault === undefined) return;
    await wait(fault.pauseMs);
    await inject(on, fault);
  }

  async function injectAll(on: System, { subscribers: seats }: Fleet, endMs: number) {
    while (Date.now() < endMs && !signal.aborted) {
      const next = plan.schedule.next();
      if (next.done) return;
      await wait(Math.min(next.value.pauseMs, endMs - Date.now()));
      if (Date.now() >= endMs || signal.aborted) return;
      const clients = on.sites.map(({ clientLink }) => clientLink.connections).join(', ');
      say(`${since()}  ${formatFault(next.value)} (clients ${clients})`);
      await Promise.all([inject(on, next.value), injectOverlapping(on, next.value.overlapping)]);
      say(`${since()}  … recovered`);
      // Moved subscribers return to their first hub. Otherwise, the next fault might hit a hub without clients.
      await wait(settleMs);
      for (const seat of seats) seat.returnHome();
    }
  }
}

function progressOf({ ledger, violations, presence }: Records): string {
  const { sends, acked, failed } = ledger.sends.totals;
  return `${sends} sends, ${acked} acknowledged, ${failed} failed, ${ledger.deliveries} deliveries, ${presence.totals.flickers} flickers, ${violations.total} violations`;
}

interface PresencePage {
  readonly presences: readonly { readonly agentId: string }[];
  readonly degraded: boolean;
}

/** Reads the presence directly from the hub. Null if the hub is down, frozen or degraded. */
async function presenceAt({ hub }: HubSite, channelId: string): Promise<PresencePage | null> {
  const url = `${hub.httpUrl}/v1/channels/${channelId}/presence?agent=auditor&role=admin&limit=200`;
  const page = await fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
    async (response) => (response.ok ? ((await response.json()) as PresencePage) : null),
    () => null,
  );
  return page?.degraded === false ? page : null;
}

async function listPresence(system: System, channelIds: readonly string[], records: Records) {
  for (const site of system.sites) {
    for (const channelId of channelIds) {
      const askedMs = Date.now();
      const page = await presenceAt(site, channelId);
      const agentIds = page?.presences.map(({ agentId }) => agentId);
      if (agentIds) records.presence.checkList(site.name, channelId, agentIds, askedMs);
    }
  }
}

/**
 * Waits until every subscriber has every event of a channel's log, then compares the events with the log. The hubs take
 * turns in returning the logs.
 */
async function settle(
  system: System,
  channelIds: readonly string[],
  { ledger, violations }: Records,
) {
  for (const [index, channelId] of channelIds.entries()) {
    const site = system.sites[index % system.sites.length];
    if (site === undefined) continue;
    try {
      const log = (await readLogAt(site.hub.port, channelId)).map(entryOf);
      const endMs = Date.now() + headsTimeoutMs;
      while (!ledger.hasAll(channelId, log.length) && Date.now() < endMs) await delay(50);
      ledger.settle(channelId, log);
    } catch (error) {
      violations.add(
        'fault failed',
        `the log of ${channelId} cannot be read through ${site.name}: ${String(error)}`,
      );
    }
  }
}

async function settleRace({ sites: [site] }: System, race: RemovalRace, violations: Violations) {
  if (site === undefined) return;
  try {
    race.settle(await readLogAt(site.hub.port, raceChannelId));
  } catch (error) {
    violations.add('fault failed', `the log of ${raceChannelId} cannot be read: ${String(error)}`);
  }
}

/** Null when the log cannot be read, which is a violation. */
async function settleErrands(
  { sites: [site] }: System,
  errands: Errands,
  violations: Violations,
): Promise<ErrandTotals | null> {
  if (site === undefined) return null;
  try {
    return errands.settle(await readLogAt(site.hub.port, errandChannelId));
  } catch (error) {
    const text = `the log of ${errandChannelId} cannot be read: ${String(error)}`;
    violations.add('fault failed', text);
    return null;
  }
}
