import { createClient, HubError, type ClientOptions, type HubClient } from '@openclaw/client';
import { nowMs } from '../measure/clock.ts';
import type { LatencyName } from '../measure/latencies.ts';
import type { SocketFactory } from './lean-socket.ts';
import { agentIdOf, channelsOf, partnerOf, type Plan } from '../plan/plan.ts';
import type { DueOperation } from '../plan/schedule.ts';
import { countError, record, type Tally } from '../measure/tally.ts';
import { createReceivedEvents, type DueTimes, type ReceivedEvents } from './received-events.ts';

export interface VirtualAgent {
  readonly index: number;
  readonly client: HubClient;
  readonly received: ReceivedEvents;
  join(): Promise<void>;
  subscribe(): Promise<void>;
  perform(operation: DueOperation): void;
  /** Cuts the socket without a close frame, as a failing network does. The client reconnects. */
  cut(): void;
  readonly pending: number;
  close(): Promise<void>;
}

const connectTimeoutMs = 30_000;
const typingMs = 1_000;
const historyPage = 50;
// An agent starts a new thread with every fifth reply, and continues the newest thread with the others.
const repliesPerThread = 5;
const emojis = ['👍', '🎉', '🚀', '👀', '✅'];

export function createAgent(
  index: number,
  deps: {
    readonly plan: Plan;
    readonly tally: Tally;
    readonly dues: DueTimes;
    readonly sockets: SocketFactory;
    readonly clientOptions: ClientOptions;
    onAck(): void;
    onError(): void;
  },
): VirtualAgent {
  const { plan, tally, dues } = deps;
  const client = createClient({ ...deps.clientOptions, webSocket: deps.sockets.webSocket });
  const channelIds = channelsOf(plan, index);
  const received = createReceivedEvents(plan, tally, dues);
  const away = new Set<string>();
  let reactedTo = '';
  /** The map counts unanswered operations by channel. Operations without a channel have the key ''. */
  const pending = new Map<string, number>();
  const idleWaiters = new Map<string, () => void>();
  let cutAtMs: number | null = null;
  let lastError: HubError | null = null;
  const timers = new Set<ReturnType<typeof setTimeout>>();

  client.on('event', received.receive);
  client.on('state', ({ state, error }) => {
    const now = nowMs();
    lastError = error ?? lastError;
    if (state === 'reconnecting' && now >= tally.times.measureMs) {
      tally.reconnects += 1;
      tally.series?.count('reconnects');
    }
    if (state !== 'live' || cutAtMs === null) return;
    record(tally, 'reconnect', cutAtMs, now);
    cutAtMs = null;
  });

  function begin(channelId: string) {
    pending.set(channelId, (pending.get(channelId) ?? 0) + 1);
  }

  function end(channelId: string) {
    const left = (pending.get(channelId) ?? 0) - 1;
    if (left > 0) return pending.set(channelId, left);
    pending.delete(channelId);
    idleWaiters.get(channelId)?.();
  }

  function note(channelId: string, call: Promise<unknown>, dueMs: number, latency?: LatencyName) {
    const isMeasured = dueMs >= tally.times.measureMs && dueMs < tally.times.endMs;
    if (isMeasured) {
      tally.sent += 1;
      tally.series?.count('sent');
    }
    begin(channelId);
    call.then(
      () => {
        end(channelId);
        deps.onAck();
        if (!isMeasured) return;
        const now = nowMs();
        tally.acked += 1;
        tally.series?.count('acked');
        tally.lastAckMs = now;
        if (latency !== undefined) record(tally, latency, dueMs, now);
      },
      (error: unknown) => {
        end(channelId);
        deps.onError();
        if (!isMeasured) return;
        tally.series?.count('errors');
        countError(tally.errors, error instanceof HubError ? error.code : String(error));
      },
    );
  }

  function skip(dueMs: number) {
    if (dueMs >= tally.times.measureMs) tally.skipped += 1;
  }

  /** Runs `work` later. Until then, `work` counts as an unanswered operation of the channel. `close` cancels `work`. */
  function after(channelId: string, ms: number, work: () => void) {
    begin(channelId);
    const timer = setTimeout(() => {
      timers.delete(timer);
      work();
      end(channelId);
    }, ms);
    timers.add(timer);
  }

  function contentOf(dueMs: number): string {
    return `${dueMs} `.padEnd(
      plan.contentChars,
      'All agents report progress on their part of the work. ',
    );
  }

  function startTyping(channelId: string, dueMs: number) {
    dues.typing[index] = dueMs;
    note(channelId, client.channel(channelId).startTyping(), dueMs);
  }

  function type(channelId: string, dueMs: number) {
    startTyping(channelId, dueMs);
    after(channelId, typingMs, () =>
      note(channelId, client.channel(channelId).stopTyping(), dueMs + typingMs),
    );
  }

  function send(channelId: string, dueMs: number) {
    const channel = client.channel(channelId);
    if (plan.typingLeadMs === 0)
      return note(channelId, channel.send(contentOf(dueMs)), dueMs, 'ack');
    const sendMs = dueMs + plan.typingLeadMs;
    // A message is left out if its time is after the end of the measurement. Messages whose typing began in the warm-up
    // make up for it, because they are sent in the measured time.
    if (sendMs >= tally.times.endMs) return;
    startTyping(channelId, dueMs);
    after(channelId, Math.max(0, sendMs - nowMs()), () => {
      note(channelId, channel.send(contentOf(sendMs)), sendMs, 'ack');
      note(channelId, channel.stopTyping(), sendMs);
    });
  }

  function react(channelId: string, dueMs: number, turn: number) {
    const message = received.newestMessage(channelId);
    // A repeated reaction changes nothing and publishes no event.
    if (message === undefined || message.id === reactedTo) return skip(dueMs);
    reactedTo = message.id;
    dues.reaction[index] = dueMs;
    const emoji = emojis[turn % emojis.length] as string;
    note(channelId, client.channel(channelId).react(message.id, emoji), dueMs);
  }

  function reply(channelId: string, dueMs: number, turn: number) {
    const isNew = turn % repliesPerThread === 0;
    const message =
      (isNew ? undefined : received.newestReply(channelId)) ?? received.newestMessage(channelId);
    if (message === undefined) return skip(dueMs);
    note(channelId, client.channel(channelId).reply(message, contentOf(dueMs)), dueMs);
  }

  async function subscribeTo(channelId: string) {
    received.subscribing(channelId);
    const { head } = await client.channel(channelId).subscribe();
    received.subscribed(channelId, head);
  }

  /**
   * The hub refuses calls in a channel that the agent has left. So before the leave, the agent awaits the answers to
   * its earlier calls there.
   */
  async function rejoin(channelId: string) {
    away.add(channelId);
    if (pending.has(channelId)) {
      await new Promise<void>((resolve) => idleWaiters.set(channelId, resolve));
      idleWaiters.delete(channelId);
    }
    // The agent itself caused the wait above, so the wait does not count as latency.
    const startMs = nowMs();
    received.unsubscribing(channelId);
    const channel = client.channel(channelId);
    await channel.unsubscribe();
    await channel.leave();
    await channel.join();
    await subscribeTo(channelId);
    away.delete(channelId);
    record(tally, 'rejoin', startMs, nowMs());
  }

  return {
    index,
    client,
    received,
    get pending() {
      let count = 0;
      for (const ofChannel of pending.values()) count += ofChannel;
      return count;
    },
    async join() {
      try {
        await client.ready({ signal: AbortSignal.timeout(connectTimeoutMs) });
      } catch (error) {
        // The error of the last attempt explains more than the timeout.
        throw lastError ?? error;
      }
      await Promise.all(channelIds.map((channelId) => client.channel(channelId).join()));
    },
    async subscribe() {
      await Promise.all(channelIds.map(subscribeTo));
    },
    perform({ kind, turn, dueMs }) {
      record(tally, 'lateness', dueMs, nowMs());
      const visit = Math.floor(turn / plan.agents) % channelIds.length;
      const channelId = channelIds[visit] as string;
      if (away.has(channelId)) return skip(dueMs);
      switch (kind) {
        case 'message':
          return send(channelId, dueMs);
        case 'reply':
          return reply(channelId, dueMs, turn);
        case 'typing':
          return type(channelId, dueMs);
        case 'reaction':
          return react(channelId, dueMs, turn);
        case 'presence': {
          const customStatus = `due ${dueMs}`;
          const status = turn % 2 === 0 ? 'away' : 'online';
          return note('', client.setPresence({ status, customStatus }), dueMs);
        }
        case 'direct': {
          const partner = partnerOf(plan, index);
          if (partner < 0) return skip(dueMs);
          const direct = client.direct(agentIdOf(plan, partner));
          return note('', direct.send(contentOf(dueMs)), dueMs);
        }
        case 'history': {
          const last = received.lastSeq(channelId);
          // Every second page is an older one, because readers scroll back.
          const before = turn % 2 === 1 && last > historyPage ? { before: last - historyPage } : {};
          const page = client.channel(channelId).history({ limit: historyPage, ...before });
          return note(channelId, page, dueMs, 'history');
        }
        case 'rejoin':
          return note('', rejoin(channelId), dueMs);
      }
    },
    cut() {
      if (client.state !== 'live') return;
      cutAtMs = nowMs();
      deps.sockets.cut();
    },
    async close() {
      for (const timer of timers) clearTimeout(timer);
      await client.close();
    },
  };
}
