import type { AgentConnections } from './agent-connections.ts';
import type { Violations } from './violations.ts';

/**
 * An agent must be shown online within this time after its subscribe was answered. The time is long enough for a
 * breaker to open first.
 */
export const settleMs = 2_000;
/** A hub may notice a lost connection this much earlier than the client. */
const noticeMs = 1_000;
/** A false offline that is corrected within this time is a flicker. */
const correctionMs = 1_000;

export interface Offline {
  readonly agentId: string;
  readonly subscriber: string;
  readonly channelId: string;
  readonly publishedMs: number;
}

/** Keeps each offline event until it is certain whether the event was false. */
export interface OfflineSuspicions {
  readonly flickers: number;
  onOffline(offline: Offline): void;
  onOnline(agentId: string, subscriber: string, channelId: string): void;
  evaluate(): void;
}

interface Suspicion extends Offline {
  readonly seenMs: number;
  isCorrected: boolean;
}

export function createOfflineSuspicions(
  connections: AgentConnections,
  violations: Violations,
  now: () => number,
): OfflineSuspicions {
  let suspicions: Suspicion[] = [];
  let flickers = 0;

  function reportFalse(told: readonly Suspicion[]) {
    const first = told[0] as Suspicion;
    const { agentId, channelId, publishedMs } = first;
    const others = told.length > 1 ? ` and ${told.length - 1} more` : '';
    const at = new Date(publishedMs).toISOString().slice(11, 23);
    violations.add(
      'false offline',
      `${agentId} was shown offline to ${first.subscriber} in ${channelId}${others}, published at ${at}; ${connections.describe(agentId, channelId)}`,
      publishedMs,
    );
  }

  return {
    get flickers() {
      return flickers;
    },
    onOffline: (offline) => void suspicions.push({ ...offline, seenMs: now(), isCorrected: false }),
    onOnline(agentId, subscriber, channelId) {
      for (const it of suspicions)
        if (it.agentId === agentId && it.subscriber === subscriber && it.channelId === channelId)
          it.isCorrected = true;
    },
    evaluate() {
      const nowMs = now();
      const isRipe = ({ publishedMs, seenMs }: Suspicion) =>
        nowMs >= Math.max(publishedMs + noticeMs, seenMs + correctionMs);
      const ripe = suspicions.filter(isRipe);
      suspicions = suspicions.filter((suspicion) => !isRipe(suspicion));
      const wrong = ripe.filter(({ agentId, channelId, publishedMs }) =>
        connections.wasPresent(agentId, channelId, publishedMs - settleMs, publishedMs + noticeMs),
      );
      flickers += wrong.filter(({ isCorrected }) => isCorrected).length;
      // One event that many subscribers received is one violation.
      const stuck = wrong.filter(({ isCorrected }) => !isCorrected);
      const byEvent = Map.groupBy(stuck, (it) => `${it.agentId} ${it.publishedMs}`);
      for (const told of byEvent.values()) reportFalse(told);
    },
  };
}
