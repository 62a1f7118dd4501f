import {
  createClient,
  HubError,
  type ClientOptions,
  type Envelope,
  type HubClient,
} from '@openclaw/client';
import { createChannelWatch, watchSeq, type ChannelWatch } from './channel-watch.ts';
import { nowMs } from './clock.ts';
import { agentIndexOf, channelsOf, type Plan } from './plan.ts';
import type { DueOperation } from './schedule.ts';
import { countError, record, type Tally } from './tally.ts';

/** The due time of each agent's last typing and reaction, which the events do not carry. Shared by all threads. */
export interface DueTimes {
  readonly typing: Float64Array<SharedArrayBuffer>;
  readonly reaction: Float64Array<SharedArrayBuffer>;
}

/** One agent: runs due operations and measures what it receives. */
export interface VirtualAgent {
  readonly index: number;
  readonly client: HubClient;
  readonly watches: ReadonlyMap<string, ChannelWatch>;
  /** Connects and joins its channels. */
  join(): Promise<void>;
  subscribe(): Promise<void>;
  perform(operation: DueOperation): void;
  /** Unanswered operations. */
  readonly pending: number;
  close(): Promise<void>;
}

const connectTimeoutMs = 30_000;
const typingMs = 1_000;
const emojis = ['👍', '🎉', '🚀', '👀', '✅'];

export function createAgent(
  index: number,
  deps: {
    readonly plan: Plan;
    readonly tally: Tally;
    readonly dues: DueTimes;
    readonly clientOptions: ClientOptions;
    onAck(): void;
  },
): VirtualAgent {
  const { plan, tally, dues } = deps;
  const client = createClient(deps.clientOptions);
  const channelIds = channelsOf(plan, index);
  const watches = new Map<string, ChannelWatch>();
  const lastMessages = new Map<string, string>();
  // The hub repeats a presence when it compares rosters; a repeated one is not new.
  const seenPresence = new Map<number, number>();
  let reactedTo = '';
  let pending = 0;
  const typingTimers = new Set<ReturnType<typeof setTimeout>>();

  client.on('event', onEvent);

  function onEvent({ event, channelId, seq }: Envelope) {
    const now = nowMs();
    if (now >= tally.times.measureMs) {
      tally.deliveries += 1;
      tally.lastDeliveryMs = now;
    }
    if (seq !== null && channelId !== null) {
      let watch = watches.get(channelId);
      if (watch === undefined) watches.set(channelId, (watch = createChannelWatch(seq - 1)));
      watchSeq(watch, seq);
    }
    switch (event.type) {
      case 'channel.message':
        lastMessages.set(event.channelId, event.message.id);
        return record(tally, 'delivery', Number.parseFloat(event.message.content), now);
      case 'channel.typing':
        return event.typing ? recordDue('typing', dues.typing, event.agentId, now) : undefined;
      case 'channel.reaction.add':
        return recordDue('reaction', dues.reaction, event.agentId, now);
      case 'channel.presence':
        for (const { agentId, customStatus } of event.presences)
          onPresence(agentId, customStatus, now);
    }
  }

  function recordDue(
    name: 'typing' | 'reaction',
    times: Float64Array,
    agentId: string,
    now: number,
  ) {
    const dueMs = times[agentIndexOf(plan, agentId)];
    if (dueMs !== undefined && dueMs > 0) record(tally, name, dueMs, now);
  }

  function onPresence(agentId: string, customStatus: string | null, now: number) {
    const dueMs = customStatus?.startsWith('due ') ? Number(customStatus.slice(4)) : Number.NaN;
    const from = agentIndexOf(plan, agentId);
    if (!(dueMs > (seenPresence.get(from) ?? 0))) return;
    seenPresence.set(from, dueMs);
    record(tally, 'presence', dueMs, now);
  }

  function note(call: Promise<unknown>, dueMs: number, latency?: 'ack') {
    const isMeasured = dueMs >= tally.times.measureMs;
    if (isMeasured) tally.sent += 1;
    pending += 1;
    call.then(
      () => {
        pending -= 1;
        deps.onAck();
        if (!isMeasured) return;
        const now = nowMs();
        tally.acked += 1;
        tally.lastAckMs = now;
        if (latency !== undefined) record(tally, latency, dueMs, now);
      },
      (error: unknown) => {
        pending -= 1;
        if (isMeasured)
          countError(tally.errors, error instanceof HubError ? error.code : String(error));
      },
    );
  }

  function contentOf(dueMs: number): string {
    return `${dueMs} `.padEnd(
      plan.contentChars,
      'All agents report progress on their part of the work. ',
    );
  }

  function type(channelId: string, dueMs: number) {
    dues.typing[index] = dueMs;
    note(client.channel(channelId).startTyping(), dueMs);
    const timer = setTimeout(() => {
      typingTimers.delete(timer);
      note(client.channel(channelId).stopTyping(), dueMs);
    }, typingMs);
    typingTimers.add(timer);
  }

  function react(channelId: string, dueMs: number, turn: number) {
    const messageId = lastMessages.get(channelId);
    // Repeating a reaction changes nothing and publishes no event.
    if (messageId === undefined || messageId === reactedTo) return;
    reactedTo = messageId;
    dues.reaction[index] = dueMs;
    note(client.channel(channelId).react(messageId, emojis[turn % emojis.length] as string), dueMs);
  }

  return {
    index,
    client,
    watches,
    get pending() {
      return pending;
    },
    async join() {
      await client.ready({ signal: AbortSignal.timeout(connectTimeoutMs) });
      await Promise.all(channelIds.map((channelId) => client.channel(channelId).join()));
    },
    async subscribe() {
      const subscribed = channelIds.map(async (channelId) => {
        const { head } = await client.channel(channelId).subscribe();
        const watch = watches.get(channelId);
        // Events may be handled before this promise, but not before the hub's answer.
        if (watch === undefined) watches.set(channelId, createChannelWatch(head));
        else watch.lost += Math.max(0, watch.first - head - 1);
      });
      await Promise.all(subscribed);
    },
    perform({ kind, turn, dueMs }) {
      record(tally, 'lateness', dueMs, nowMs());
      const visit = Math.floor(turn / plan.agents) % channelIds.length;
      const channelId = channelIds[visit] as string;
      switch (kind) {
        case 'message':
          return note(client.channel(channelId).send(contentOf(dueMs)), dueMs, 'ack');
        case 'typing':
          return type(channelId, dueMs);
        case 'reaction':
          return react(channelId, dueMs, turn);
        case 'presence': {
          const customStatus = `due ${dueMs}`;
          const status = turn % 2 === 0 ? 'away' : 'online';
          return note(client.setPresence({ status, customStatus }), dueMs);
        }
      }
    },
    async close() {
      for (const timer of typingTimers) clearTimeout(timer);
      await client.close();
    },
  };
}
