import { connectRpc, readLog } from '@openclaw/test-support';
import type { Envelope } from '@openclaw/protocol';
import type { LogEntry } from '@openclaw/test-support';
import { metadataKey } from './sender.ts';
import type { ErrandTotals } from './errand-log.ts';
import type { EventLoopReport } from './event-loops.ts';
import { tableLines, type Spread } from '../statistics.ts';
import type { KindRecovery } from './recovery.ts';
import { messageIdOf } from './subscriber.ts';
import type { SendTotals } from '@openclaw/test-support';
import { formatViolation, type Violation, type ViolationKind } from './violations.ts';

export interface SoakReport {
  readonly seed: number;
  readonly startMs: number;
  readonly durationMs: number;
  readonly isInterrupted: boolean;
  readonly sends: Omit<SendTotals, 'errors'> & {
    readonly errors: Readonly<Record<string, number>>;
  };
  readonly deliveries: number;
  readonly losses: number;
  readonly skipped: number;
  readonly presence: { readonly events: number; readonly flickers: number };
  readonly faults: readonly KindRecovery[];
  readonly calm: { readonly deliveries: number; readonly slowestMs: number };
  readonly eventLoops: EventLoopReport;
  readonly racedReads: number;
  /** Null when the log of the errands could not be read. */
  readonly errands: (ErrandTotals & { readonly crashes: number }) | null;
  /** The longest stall of the process that measures. Any time in this report may include this stall. */
  readonly ownStallMs: number;
  readonly violationCount: number;
  readonly violationCounts: Readonly<Partial<Record<ViolationKind, number>>>;
  readonly violations: readonly Violation[];
  /** The hubs' logs are kept after a violation. */
  readonly logFolder: string | null;
}

const shownViolations = 20;

export async function readLogAt(hubPort: number, channelId: string): Promise<Envelope[]> {
  const socket = await connectRpc(`ws://127.0.0.1:${hubPort}/v1/ws?agent=auditor&role=admin`);
  try {
    return (await readLog(socket, channelId)) as Envelope[];
  } finally {
    await socket.close();
  }
}

export function entryOf(envelope: Envelope): LogEntry {
  const { event, id, seq } = envelope;
  const metadata = 'message' in event ? event.message.metadata : null;
  const clientMessageId = metadata?.[metadataKey];
  return {
    id,
    seq: seq ?? -1,
    type: event.type,
    messageId: messageIdOf(envelope),
    clientMessageId: typeof clientMessageId === 'string' ? clientMessageId : null,
  };
}

const ms = (value: number) =>
  value >= 10_000 ? `${(value / 1000).toFixed(1)} s` : `${Math.round(value)} ms`;
const spreadText = (it: Spread | null) =>
  it === null ? '–' : `${ms(it.median)} / ${ms(it.p95)} / ${ms(it.max)}`;

export function formatReport(report: SoakReport): string {
  const { sends, presence, faults, violations, violationCounts, calm, eventLoops } = report;
  const errors = Object.entries(sends.errors).map(([code, count]) => `${code} ${count}`);
  const lines = [
    `seed ${report.seed}, ${(report.durationMs / 1000).toFixed(0)} s${report.isInterrupted ? ', interrupted' : ''}`,
    `sends ${sends.sends}, acknowledged ${sends.acked}, never acknowledged ${sends.failed} (but stored: ${sends.storedUnacked}), repeats recognized ${sends.repeats}, messages in the logs ${sends.stored}`,
    `deliveries ${report.deliveries}, connections lost ${report.losses}, presence events ${presence.events}, presence flickers ${presence.flickers}, operations skipped ${report.skipped}`,
    `failed calls: ${errors.length === 0 ? 'none' : errors.join(', ')}`,
    `slowest delivery between faults: ${ms(calm.slowestMs)} of ${calm.deliveries}; the longest stall of this process was ${ms(report.ownStallMs)}`,
    `event loops of the hubs between faults (${eventLoops.samples} samples): p99 ${spreadText(eventLoops.calmP99)}, longest ${spreadText(eventLoops.calmMost)}; longest at any time, frozen hubs included ${ms(eventLoops.longest)}`,
    `reads in the removal race: ${report.racedReads}`,
    `errands: ${Object.entries(report.errands ?? {})
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')}`,
    '',
    ...tableLines([
      ['fault', 'times', 'slowest delivery, live', 'to anyone', 'Redis back', 'recovered'],
      ['', '', 'median / p95 / max', '', '', ''],
      ...faults.map((it) => [
        it.kind,
        String(it.count),
        spreadText(it.slowestLive),
        spreadText(it.slowestAny),
        spreadText(it.redisBack),
        spreadText(it.whole),
      ]),
    ]),
    '',
  ];
  if (report.violationCount === 0) return [...lines, 'VIOLATIONS: none'].join('\n');
  const counts = Object.entries(violationCounts).map(([kind, count]) => `${kind} ${count}`);
  return [
    ...lines,
    `VIOLATIONS: ${report.violationCount} (${counts.join(', ')})`,
    ...violations
      .slice(0, shownViolations)
      .map((violation) => `  ${formatViolation(violation, report.startMs)}`),
    ...(report.logFolder === null ? [] : [`the hubs' logs: ${report.logFolder}`]),
  ].join('\n');
}
