import { connectRpc } from '@openclaw/test-support';
import type { Envelope } from '@openclaw/protocol';
import { metadataKey, type LogEntry } from './ledger.ts';
import type { EventLoopReport } from './event-loops.ts';
import type { KindRecovery, Spread } from './recovery.ts';
import { messageIdOf } from './seat.ts';
import type { SendTotals } from './send-book.ts';
import { formatViolation, type Violation, type ViolationKind } from './violations.ts';

/** What came of a run. */
export interface Account {
  readonly seed: number;
  readonly startMs: number;
  readonly durationMs: number;
  readonly isInterrupted: boolean;
  readonly sends: Omit<SendTotals, 'errors'> & {
    readonly errors: Readonly<Record<string, number>>;
  };
  readonly deliveries: number;
  /** Connections that agents lost, and those that they broke to go home. */
  readonly losses: number;
  readonly skipped: number;
  readonly presence: { readonly events: number; readonly flickers: number };
  readonly faults: readonly KindRecovery[];
  readonly calm: { readonly deliveries: number; readonly slowestMs: number };
  readonly eventLoops: EventLoopReport;
  /** Answers to an agent that was removed again and again. */
  readonly racedReads: number;
  /** The longest that this process itself did nothing, which every time here may contain. */
  readonly ownStallMs: number;
  readonly violationCount: number;
  readonly violationCounts: Readonly<Partial<Record<ViolationKind, number>>>;
  readonly violations: readonly Violation[];
  /** Where the hubs' logs are, when they were kept. */
  readonly logFolder: string | null;
}

const shownViolations = 20;

/** Reads a channel's whole log through a hub, as an admin. */
export async function readLog(hubPort: number, channelId: string): Promise<Envelope[]> {
  const socket = await connectRpc(`ws://127.0.0.1:${hubPort}/v1/ws?agent=auditor&role=admin`);
  const envelopes: Envelope[] = [];
  try {
    for (let after = 0; ;) {
      const page = (await socket.call('log.read', { channelId, after, limit: 1000 })) as {
        events: Envelope[];
        hasMore: boolean;
      };
      envelopes.push(...page.events);
      if (!page.hasMore || page.events.length === 0) return envelopes;
      after = page.events.at(-1)?.seq ?? 0;
    }
  } finally {
    await socket.close();
  }
}

/** What the ledger compares of an event. */
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
const spreadText = (it: Omit<Spread, 'count'> | null) =>
  it === null ? '–' : `${ms(it.median)} / ${ms(it.p95)} / ${ms(it.max)}`;

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** As people read it. */
export function formatAccount(account: Account): string {
  const { sends, presence, faults, violations, violationCounts, calm, eventLoops } = account;
  const errors = Object.entries(sends.errors).map(([code, count]) => `${code} ${count}`);
  const lines = [
    `seed ${account.seed}, ${(account.durationMs / 1000).toFixed(0)} s${account.isInterrupted ? ', interrupted' : ''}`,
    `sends ${sends.sends}, acknowledged ${sends.acked}, never acknowledged ${sends.failed} (stored all the same: ${sends.storedUnacked}), repeats recognised ${sends.repeats}, messages in the logs ${sends.stored}`,
    `deliveries ${account.deliveries}, connections lost ${account.losses}, presence events ${presence.events}, presence flickers ${presence.flickers}, operations skipped ${account.skipped}`,
    `failed calls: ${errors.length === 0 ? 'none' : errors.join(', ')}`,
    `slowest delivery between faults: ${ms(calm.slowestMs)} of ${calm.deliveries}; this process itself stood still for up to ${ms(account.ownStallMs)}`,
    `event loops of the hubs between faults (${eventLoops.stretches} stretches of seconds): p99 ${spreadText(eventLoops.calmP99)}, longest ${spreadText(eventLoops.calmMost)}; longest ever, frozen hubs included ${ms(eventLoops.most)}`,
    `reads by an agent that was removed meanwhile: ${account.racedReads}`,
    '',
    ...table([
      ['fault', 'times', 'slowest delivery, live', 'to anyone', 'Redis back', 'whole again'],
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
  if (account.violationCount === 0) return [...lines, 'VIOLATIONS: none'].join('\n');
  const counts = Object.entries(violationCounts).map(([kind, count]) => `${kind} ${count}`);
  return [
    ...lines,
    `VIOLATIONS: ${account.violationCount} (${counts.join(', ')})`,
    ...violations
      .slice(0, shownViolations)
      .map((violation) => `  ${formatViolation(violation, account.startMs)}`),
    ...(account.logFolder === null ? [] : [`the hubs' logs: ${account.logFolder}`]),
  ].join('\n');
}
