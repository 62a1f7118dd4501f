import type { AgentConnections } from './agent-connections.ts';
import type { Violations } from './violations.ts';

/** From the welcome until the agent must count as present: the resubscribe, and a breaker that opens. */
export const settleMs = 2_000;
/** Before a loss that the client notices, its hub may have noticed it already. */
const noticeMs = 1_000;
/** A wrong offline that is taken back within this is a flicker. */
const correctionMs = 1_000;

/** One offline event, as one subscriber got it. */
export interface Offline {
  readonly agentId: string;
  readonly subscriber: string;
  readonly channelId: string;
  /** Its envelope's timestamp. */
  readonly publishedMs: number;
}

/** Every offline event, until it is certain whether it was false. */
export interface OfflineSuspicions {
  /** Offline although alive, and corrected within a second. */
  readonly flickers: number;
  onOffline(offline: Offline): void;
  /** The agent was shown online to the subscriber. */
  onOnline(agentId: string, subscriber: string, channelId: string): void;
  evaluate(): void;
}

interface Suspicion extends Offline {
  readonly seenMs: number;
  isCorrected: boolean;
}

/** Creates an empty list. */
export function createOfflineSuspicions(
  connections: AgentConnections,
  violations: Violations,
  now: () => number,
): OfflineSuspicions {
  let suspicions: Suspicion[] = [];
  let flickers = 0;

  function reportFalse({ agentId, publishedMs }: Offline, told: readonly Suspicion[]) {
    const first = told[0] as Suspicion;
    const others = told.length > 1 ? ` and ${told.length - 1} more` : '';
    const at = new Date(publishedMs).toISOString().slice(11, 23);
    violations.add(
      'false offline',
      `${agentId} was shown offline to ${first.subscriber} in ${first.channelId}${others}, published at ${at}; ${connections.describe(agentId)}`,
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
      const wrong = ripe.filter(({ agentId, publishedMs }) =>
        connections.wasLive(agentId, publishedMs - settleMs, publishedMs + noticeMs),
      );
      flickers += wrong.filter(({ isCorrected }) => isCorrected).length;
      // One event told to many is one violation.
      const stuck = wrong.filter(({ isCorrected }) => !isCorrected);
      const byEvent = Map.groupBy(stuck, (it) => `${it.agentId} ${it.publishedMs}`);
      for (const told of byEvent.values()) reportFalse(told[0] as Suspicion, told);
    },
  };
}
