import type { PresenceRecord } from '@openclaw/presence';
import { limits } from '@openclaw/protocol';
import type { PresenceTimes } from './presence-times.ts';
import { RosterView } from './roster-view.ts';

/** A page of a channel's roster. */
export interface RosterPage {
  readonly presences: readonly PresenceRecord[];
  readonly nextCursor: string | null;
  /** Whether it holds this hub's own connections alone, because Redis is away. */
  readonly degraded: boolean;
  /** When the page was read, by the clock of the records' `lastSeen`. */
  readonly atMs: number;
}

/** What a watch reads, and whom it tells. */
export interface RosterWatchDeps {
  readonly readPage: (channelId: string, cursor: string | null) => Promise<RosterPage>;
  /** Whether any socket of this hub is in the channel. */
  readonly isLive: (channelId: string) => boolean;
  /** The agents with a socket of this hub in the channel: they are there, whatever a roster says. */
  readonly agentsHere: (channelId: string) => ReadonlySet<string>;
  /** What all sockets in the channel have to be told. */
  readonly onDifference: (channelId: string, records: readonly PresenceRecord[]) => void;
  readonly onError: (error: unknown) => void;
  /** Answers true when every living hub can write its leases; asked after a wipe. @default never known */
  readonly isWhole?: () => Promise<boolean>;
  /** Milliseconds that run evenly. @default performance.now */
  readonly clock?: () => number;
}

/** Compares, time and again, the rosters of the channels it follows with what this hub told its sockets. */
export interface RosterWatch {
  /** What the sockets of a channel were told, if it is followed. */
  view(channelId: string): RosterView | undefined;
  /** Follows the channel as long as it is live. The roster is read at once, if it is new. */
  follow(channelId: string): RosterView;
  /** Resolves when the roster of a channel that is followed was read, or could not be, or that takes too long. */
  ready(channelId: string): Promise<void>;
  /** Events may have been lost: all channels are compared soon, but nobody is told offline for one lease. */
  distrust(): void;
  /** Redis lost all leases, while connections held: all channels are compared soon. Living agents are back in a second. */
  wiped(): void;
  /** Redis may be another, with a clock of its own: what was told is not compared with it. */
  forgetTimes(): void;
  readonly size: number;
  close(): void;
}

interface Followed {
  readonly view: RosterView;
  readonly firstRead: PromiseWithResolvers<void>;
  dueMs: number;
  isReading: boolean;
  /** Whether a reading has ended, well or not. */
  isReady: boolean;
}

const tickMs = 250;
/** Rosters read at a time; and comparisons begun in one tick, unless more are needed to keep the pace. */
const maxReading = 8;
const minPerTick = 50;
/** How long a subscriber waits to be told whether presence is pushed. */
const readyMs = 250;

/** Creates the watch. Bounded: few rosters are read at a time, none further than to where presence is not pushed. */
export function createRosterWatch(
  deps: RosterWatchDeps,
  { leaseMs, heartbeatMs, compareMs }: PresenceTimes,
): RosterWatch {
  const { clock = () => performance.now() } = deps;
  // A roster that lost a lease, by a wipe or a failover, has it again with the next heartbeat.
  const confirmMs = heartbeatMs * 1.2;
  const followed = new Map<string, Followed>();
  const fresh: string[] = [];
  /** Channels that are due before their turn in `followed`. */
  const early = new Set<string>();
  let reading = 0;
  let allowance = 0;
  let trustFromMs = -Infinity;
  /** For one lease after a wipe, missing agents are gone when their lease has ended: no reaper can see it end any more. */
  let wipedUntilMs = -Infinity;

  const timer = setInterval(() => {
    allowance = Math.max(minPerTick, Math.ceil((2 * followed.size * tickMs) / compareMs));
    takeEarly();
    pump();
  }, tickMs);
  timer.unref();

  /** Begins the readings that are due and allowed. */
  function pump(): void {
    startFresh();
    const nowMs = clock();
    for (const [channelId, { dueMs, isReading, isReady }] of followed) {
      if (reading >= maxReading || allowance <= 0) return;
      if (isReading || !isReady) continue;
      // All after it were read later.
      if (dueMs > nowMs) return;
      allowance -= 1;
      if (deps.isLive(channelId)) start(channelId);
      else followed.delete(channelId);
    }
  }

  /** Once a tick alone: after a wipe most channels may be early. */
  function takeEarly(): void {
    const nowMs = clock();
    for (const channelId of early) {
      const one = followed.get(channelId);
      if (one && one.dueMs > nowMs) continue;
      early.delete(channelId);
      if (one) fresh.push(channelId);
    }
  }

  function startFresh(): void {
    while (reading < maxReading && fresh.length > 0) start(fresh.shift() ?? '');
  }

  function start(channelId: string): void {
    const one = followed.get(channelId);
    if (!one || one.isReading) return;
    one.isReading = true;
    one.dueMs = clock() + compareMs;
    reading += 1;
    void compare(channelId, one).finally(() => {
      reading -= 1;
      one.isReading = false;
      one.isReady = true;
      one.firstRead.resolve();
      // Behind all others, so that each has its turn.
      if (followed.delete(channelId)) followed.set(channelId, one);
      pump();
    });
  }

  async function compare(channelId: string, one: Followed): Promise<void> {
    const { view } = one;
    let here: ReadonlySet<string> | undefined;
    try {
      // Asked before the roster is read: a hub that comes back in between has written its leases by then.
      const wasMissing = view.hasMissing;
      const isAfterWipe = clock() < wipedUntilMs;
      const isWhole = isAfterWipe && wasMissing && (await isEveryHubWhole());
      const beganMs = clock();
      view.begin();
      const heldUntilMs = new Map<string, number>();
      const roster = await read(channelId, heldUntilMs);
      if (roster === 'degraded') {
        view.fail();
        trustFromMs = clock() + leaseMs;
        return;
      }
      const news = view.compare(roster, {
        ...{ nowMs: beganMs, confirmMs, trustFromMs, heldUntilMs, isWhole },
        isHere: (agentId) => (here ??= deps.agentsHere(channelId)).has(agentId),
      });
      if (news.length > 0) deps.onDifference(channelId, news);
      if (!isAfterWipe) return;
      // Missing agents are decided on as soon as possible, and not only with the next round.
      const trust = { confirmMs, trustFromMs, isWhole: isWhole || !wasMissing };
      const decisionMs = view.decisionMs(trust);
      if (decisionMs >= one.dueMs) return;
      one.dueMs = decisionMs;
      early.add(channelId);
    } catch (error) {
      view.fail();
      deps.onError(error);
    }
  }

  async function isEveryHubWhole(): Promise<boolean> {
    return (await deps.isWhole?.().catch(() => false)) ?? false;
  }

  /** Everyone in the channel, page by page, and when their leases end; null when there are more than are pushed. */
  async function read(
    channelId: string,
    heldUntilMs: Map<string, number>,
  ): Promise<PresenceRecord[] | null | 'degraded'> {
    const roster: PresenceRecord[] = [];
    let cursor: string | null = null;
    do {
      const askedMs = clock();
      const page: RosterPage = await deps.readPage(channelId, cursor);
      if (page.degraded) return 'degraded';
      for (const { agentId, lastSeen } of page.presences) {
        heldUntilMs.set(agentId, askedMs + lastSeen + leaseMs - page.atMs);
      }
      roster.push(...page.presences);
      if (roster.length > limits.presencePush) return null;
      cursor = page.nextCursor;
    } while (cursor !== null);
    return roster;
  }

  return {
    view: (channelId) => followed.get(channelId)?.view,
    follow(channelId) {
      const known = followed.get(channelId);
      if (known) return known.view;
      const view = new RosterView(clock, leaseMs);
      const firstRead = Promise.withResolvers<void>();
      const unread = { isReading: false, isReady: false };
      followed.set(channelId, { view, firstRead, dueMs: Infinity, ...unread });
      fresh.push(channelId);
      startFresh();
      return view;
    },
    async ready(channelId) {
      const one = followed.get(channelId);
      if (!one || one.isReady) return;
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, readyMs);
      });
      await Promise.race([one.firstRead.promise, late]);
      clearTimeout(timer);
    },
    forgetTimes() {
      for (const { view } of followed.values()) view.forgetTimes();
    },
    distrust() {
      trustFromMs = clock() + leaseMs;
      for (const one of followed.values()) one.dueMs = -Infinity;
    },
    wiped() {
      wipedUntilMs = clock() + leaseMs;
      for (const one of followed.values()) one.dueMs = -Infinity;
      pump();
    },
    get size() {
      return followed.size;
    },
    close() {
      clearInterval(timer);
      fresh.length = 0;
      early.clear();
      for (const { firstRead } of followed.values()) firstRead.resolve();
      followed.clear();
    },
  };
}
