import type { PresenceRecord, PresenceTracker } from '@openclaw/presence';
import { limits } from '@openclaw/protocol';
import { RosterView } from './roster-view.ts';

/** All hubs that share a Redis must use the same times. */
export interface PresenceTimes {
  /** A socket's lease remains for at most this time after its hub has died. */
  readonly leaseMs: number;
  /** The interval must be at most a third of a lease. */
  readonly heartbeatMs: number;
  /** At this interval, each live channel's roster is compared with the presence that its sockets know. */
  readonly compareMs: number;
}

export const presenceTimes: PresenceTimes = {
  leaseMs: 30_000,
  heartbeatMs: 10_000,
  compareMs: 15_000,
};

export type RosterPage = Omit<Awaited<ReturnType<PresenceTracker['list']>>, 'count'>;

interface FollowedChannel {
  readonly view: RosterView;
  readonly firstRead: PromiseWithResolvers<void>;
  dueMs: number;
  isReading: boolean;
  isReady: boolean;
}

const tickMs = 250;
const maxReading = 8;
/** A tick starts more reads than this only if channels would otherwise be read too late. */
const minPerTick = 50;
/** A subscribe waits this long for the first read, which decides whether presence is pushed. */
const readyMs = 250;

/**
 * Compares the rosters of live channels with the presence that this hub's sockets know. Stops reading a roster that has
 * more agents than the push limit.
 */
export function createRosterWatch(
  deps: {
    readonly readPage: (channelId: string, cursor: string | null) => Promise<RosterPage>;
    readonly isLive: (channelId: string) => boolean;
    /** Agents with a socket of this hub are present even if they are not in the roster. */
    readonly localAgentIds: (channelId: string) => ReadonlySet<string>;
    readonly onDifference: (channelId: string, records: readonly PresenceRecord[]) => void;
    readonly onError: (error: unknown) => void;
    /**
     * Resolves with true when every living hub can write its leases. The watch calls it after a wipe. @default false
     */
    readonly canAllHubsWrite?: () => Promise<boolean>;
    /** Returns monotonic time in ms. @default performance.now */
    readonly clock?: () => number;
  },
  { leaseMs, heartbeatMs, compareMs }: PresenceTimes,
) {
  const { clock = () => performance.now(), canAllHubsWrite = async () => false } = deps;
  // After a wipe or a failover, the next heartbeat restores a lost lease. So a missing agent counts as offline only
  // when it has been missing for longer than a heartbeat's interval.
  const confirmMs = heartbeatMs * 1.2;
  /** The map is ordered by the time of the last read, the oldest first. */
  const followed = new Map<string, FollowedChannel>();
  const queue: string[] = [];
  /** These channels must be read before their turn in `followed`. */
  const dueEarly = new Set<string>();
  let readingCount = 0;
  let startsLeft = 0;
  let offlineFromMs = -Infinity;
  /**
   * After a wipe, no reaper sees the lost leases expire. For the length of a lease, this watch reports the missing
   * agents instead.
   */
  let afterWipeUntilMs = -Infinity;

  const timer = setInterval(() => {
    startsLeft = Math.max(minPerTick, Math.ceil((2 * followed.size * tickMs) / compareMs));
    queueDueEarly();
    startDue();
  }, tickMs);
  timer.unref();

  function startDue(): void {
    startQueued();
    const nowMs = clock();
    for (const [channelId, { dueMs, isReading, isReady }] of followed) {
      if (readingCount >= maxReading || startsLeft <= 0) return;
      if (isReading || !isReady) continue;
      if (dueMs > nowMs) return;
      startsLeft -= 1;
      if (deps.isLive(channelId)) start(channelId);
      else followed.delete(channelId);
    }
  }

  /** Call it at most once per tick: after a wipe, `dueEarly` may hold most channels. */
  function queueDueEarly(): void {
    const nowMs = clock();
    for (const channelId of dueEarly) {
      const channel = followed.get(channelId);
      if (channel && channel.dueMs > nowMs) continue;
      dueEarly.delete(channelId);
      if (channel) queue.push(channelId);
    }
  }

  function startQueued(): void {
    while (readingCount < maxReading && queue.length > 0) start(queue.shift() ?? '');
  }

  function start(channelId: string): void {
    const channel = followed.get(channelId);
    if (!channel || channel.isReading) return;
    channel.isReading = true;
    channel.dueMs = clock() + compareMs;
    readingCount += 1;
    void compare(channelId, channel).finally(() => {
      readingCount -= 1;
      channel.isReading = false;
      channel.isReady = true;
      channel.firstRead.resolve();
      if (followed.delete(channelId)) followed.set(channelId, channel);
      startDue();
    });
  }

  async function compare(channelId: string, channel: FollowedChannel): Promise<void> {
    const { view } = channel;
    let localAgentIds: ReadonlySet<string> | undefined;
    try {
      const wasMissing = view.hasMissing;
      const isAfterWipe = clock() < afterWipeUntilMs;
      // The hubs are asked before the read, so a hub that can write to Redis has written its leases before the read.
      const canAllWrite = isAfterWipe && wasMissing && (await canAllHubsWrite().catch(() => false));
      const nowMs = clock();
      view.beginRead();
      const leaseEndsMs = new Map<string, number>();
      const roster = await readRoster(channelId, leaseEndsMs);
      if (roster === 'degraded') {
        view.failRead();
        offlineFromMs = clock() + leaseMs;
        return;
      }
      const news = view.compare(roster, {
        nowMs,
        confirmMs,
        offlineFromMs,
        leaseEndsMs,
        canAllHubsWrite: canAllWrite,
        isConnectedHere: (agentId) =>
          (localAgentIds ??= deps.localAgentIds(channelId)).has(agentId),
      });
      if (news.length > 0) deps.onDifference(channelId, news);
      if (!isAfterWipe) return;
      // After a wipe, the next read is due as soon as a missing agent can be reported offline.
      const decisionMs = view.nextDecisionMs({
        confirmMs,
        offlineFromMs,
        canAllHubsWrite: canAllWrite || !wasMissing,
      });
      if (decisionMs >= channel.dueMs) return;
      channel.dueMs = decisionMs;
      dueEarly.add(channelId);
    } catch (error) {
      view.failRead();
      deps.onError(error);
    }
  }

  /** Records the end of each lease. Returns null when more agents are present than the push limit. */
  async function readRoster(
    channelId: string,
    leaseEndsMs: Map<string, number>,
  ): Promise<PresenceRecord[] | null | 'degraded'> {
    const roster: PresenceRecord[] = [];
    let cursor: string | null = null;
    do {
      const sentMs = clock();
      const page: RosterPage = await deps.readPage(channelId, cursor);
      if (page.degraded) return 'degraded';
      for (const { agentId, lastSeen } of page.presences) {
        leaseEndsMs.set(agentId, sentMs + lastSeen + leaseMs - page.atMs);
      }
      roster.push(...page.presences);
      if (roster.length > limits.presencePush) return null;
      cursor = page.nextCursor;
    } while (cursor !== null);
    return roster;
  }

  function makeAllDue(): void {
    for (const channel of followed.values()) channel.dueMs = -Infinity;
  }

  return {
    view: (channelId: string) => followed.get(channelId)?.view,
    follow(channelId: string) {
      const known = followed.get(channelId);
      if (known) return known.view;
      const view = new RosterView(clock, leaseMs);
      followed.set(channelId, {
        view,
        firstRead: Promise.withResolvers<void>(),
        dueMs: Infinity,
        isReading: false,
        isReady: false,
      });
      queue.push(channelId);
      startQueued();
      return view;
    },
    /** Resolves after the channel's first read, even if that read fails, or after {@link readyMs}. */
    async ready(channelId: string) {
      const channel = followed.get(channelId);
      if (!channel || channel.isReady) return;
      let timer: NodeJS.Timeout | undefined;
      const timeout = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, readyMs);
      });
      await Promise.race([channel.firstRead.promise, timeout]);
      clearTimeout(timer);
    },
    /** Call it when Redis may have another clock. Earlier times are then not compared with later ones. */
    onClockChanged() {
      for (const { view } of followed.values()) view.forgetLastSeen();
    },
    /**
     * Call it when events may have been lost. Compares all channels soon, but reports no agent offline for the length
     * of a lease.
     */
    onEventsLost() {
      offlineFromMs = clock() + leaseMs;
      makeAllDue();
    },
    /** Call it when Redis was wiped. Compares all channels soon, while hubs write their leases again. */
    onRedisWiped() {
      afterWipeUntilMs = clock() + leaseMs;
      makeAllDue();
      startDue();
    },
    get size() {
      return followed.size;
    },
    close() {
      clearInterval(timer);
      queue.length = 0;
      dueEarly.clear();
      for (const { firstRead } of followed.values()) firstRead.resolve();
      followed.clear();
    },
  };
}
