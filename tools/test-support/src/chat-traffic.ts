import { setTimeout as delay } from 'node:timers/promises';
import type { HubProcess } from './hub.ts';
import { createLedger } from './ledger.ts';
import { waitFor } from './processes.ts';
import { readLog } from './read-log.ts';
import { connectRpc, RpcCallError, type RpcSocket } from './rpc-socket.ts';

/** The traffic is a steady stream of messages over several hubs, with one subscriber (the watcher) on each hub. */
export interface ChatTraffic extends AsyncDisposable {
  readonly channels: readonly string[];
  /**
   * Each hub has one watcher, which follows every channel. A watcher is a plain socket, because a client would repair
   * mistakes of a hub.
   */
  readonly watchers: readonly RpcSocket[];
  readonly writers: readonly RpcSocket[];
  /** The ids are in the order of the hubs. */
  readonly watcherIds: readonly string[];
  readonly slowestAnswerMs: number;
  /** The map counts refused sends by code. Each is retried with its clientMessageId. */
  readonly refusals: ReadonlyMap<string, number>;
  readonly ackedCount: number;
  /** The longest time from an ack until the last watcher has the message, since {@link ChatTraffic.resetDelay}. */
  readonly worstDelayMs: number;
  resetDelay(): void;
  moreAcks(count: number, timeoutMs?: number): Promise<void>;
  /** Waits for messages that are acked so far. */
  allDelivered(timeoutMs?: number): Promise<void>;
  /**
   * Waits until everything is delivered and compares it with the logs. Resolves with the violations of "stored once,
   * delivered once, in order".
   */
  stop(): Promise<string[]>;
  close(): Promise<void>;
}

export interface ChatTrafficOptions {
  /** Every second channel is written on one hub only. @default 4 */
  readonly channels?: number;
  /** A writer pauses this long after an ack, before its next message. @default 40 */
  readonly everyMs?: number;
  readonly name?: string;
}

interface Delivery {
  ackedMs: number | null;
  readonly missing: Set<string>;
}

const retryPauseMs = 100;
const maxViolations = 100;

export function connectAgent(hub: HubProcess, agentId: string): Promise<RpcSocket> {
  return connectRpc(`${hub.url}/v1/ws?agent=${agentId}`);
}

/** The hubs must run in dev mode. */
export async function startChatTraffic(
  hubs: readonly HubProcess[],
  { channels: count = 4, everyMs = 40, name = 'traffic' }: ChatTrafficOptions = {},
): Promise<ChatTraffic> {
  const violations: string[] = [];
  const report = (text: string) => {
    if (violations.length < maxViolations) violations.push(text);
  };
  const ledger = createLedger((kind, text) => report(`${kind}: ${text}`));
  const channels = Array.from({ length: count }, (_, index) => `${name}-${index}`);
  const watcherIds = hubs.map((_, index) => `${name}-watcher-${index}`);
  const writers = await Promise.all(
    hubs.map((hub, at) => connectAgent(hub, `${name}-writer-${at}`)),
  );
  const watchers = await Promise.all(
    hubs.map((hub, at) => connectAgent(hub, watcherIds[at] as string)),
  );
  const [creator, ...others] = [...writers, ...watchers] as [RpcSocket, ...RpcSocket[]];
  for (const channelId of channels) {
    await creator.call('channel.create', { channelId, name: channelId });
    for (const socket of others) await socket.call('channel.join', { channelId });
  }
  /** messageId → its delivery, until the message is acked and every watcher has it. */
  const deliveries = new Map<string, Delivery>();
  let worstDelayMs = 0;
  let measuredFromMs = 0;
  let isEnding = false;
  let isClosing = false;
  let slowestAnswerMs = 0;
  const refusals = new Map<string, number>();

  function update(messageId: string, change: (delivery: Delivery) => void): void {
    const delivery = deliveries.get(messageId) ?? { ackedMs: null, missing: new Set(watcherIds) };
    deliveries.set(messageId, delivery);
    change(delivery);
    const { ackedMs, missing } = delivery;
    if (ackedMs === null || missing.size > 0) return;
    deliveries.delete(messageId);
    if (ackedMs >= measuredFromMs)
      worstDelayMs = Math.max(worstDelayMs, performance.now() - ackedMs);
  }

  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- an envelope as received
  function onEvent(watcher: string, { event, channelId, seq, id }: any): void {
    if (!channels.includes(channelId as string)) return;
    ledger.delivered(watcher, { channelId, seq, id });
    if (event.type === 'channel.message')
      update(event.message.id as string, ({ missing }) => missing.delete(watcher));
    if (event.type !== 'channel.presence') return;
    for (const { agentId, status } of event.presences as { agentId: string; status: string }[]) {
      if (status === 'offline' && watcherIds.includes(agentId))
        report(`${watcher} was told that ${agentId} is offline, but it was connected all the time`);
    }
  }

  for (const [at, watcher] of watchers.entries()) {
    const watcherId = watcherIds[at] as string;
    let taken = 0;
    // This listener runs after the socket's own one, which parses the frame.
    watcher.ws.on('message', () => {
      for (; taken < watcher.events.length; taken += 1) onEvent(watcherId, watcher.events[taken]);
    });
    const topics = channels.map((channelId) => ({ channelId }));
    const answer = (await watcher.call('subscribe', { topics })) as {
      topics: { channelId: string; head: number }[];
    };
    for (const { channelId, head } of answer.topics) ledger.follows(watcherId, channelId, head);
  }
  for (const [at, socket] of [...watchers, ...writers].entries()) {
    void socket.closed.then(({ code, reason }) => {
      if (!isClosing) report(`socket ${at} was closed with ${code} ${reason}`);
    });
  }

  /** A refusal that may be temporary is retried with the same id until the message is acked. */
  async function sendOne(writer: RpcSocket, channelId: string, content: string): Promise<void> {
    ledger.sends.sending(content);
    for (;;) {
      const startedMs = performance.now();
      try {
        const params = { channelId, content, clientMessageId: content };
        const { messageId, seq, duplicate } = await writer.call('message.send', params);
        ledger.sends.acked(content, { channelId, messageId, seq, duplicate });
        update(messageId as string, (delivery) => (delivery.ackedMs = performance.now()));
        return;
      } catch (error) {
        const code = error instanceof RpcCallError ? error.code : undefined;
        if (code !== 'unavailable' && code !== 'timeout') throw error;
        refusals.set(code, (refusals.get(code) ?? 0) + 1);
      } finally {
        slowestAnswerMs = Math.max(slowestAnswerMs, performance.now() - startedMs);
      }
      await delay(retryPauseMs);
    }
  }
  async function send(writer: RpcSocket, sender: number, channelId: string): Promise<void> {
    for (let sent = 0; !isEnding; sent += 1) {
      try {
        await sendOne(writer, channelId, `${channelId} ${sender}.${sent}`);
      } catch (error) {
        if (!isClosing) report(`a send failed: ${String(error)}`);
        return;
      }
      await delay(everyMs);
    }
  }
  // If two hubs write to a channel, a commit of one reveals that an event of the other was missed. Each channel with an
  // odd index is therefore written on one hub only.
  const sending = writers.flatMap((writer, sender) =>
    channels
      .filter((_, index) => index % 2 === 0 || ((index - 1) / 2) % hubs.length === sender)
      .map((channelId) => send(writer, sender, channelId)),
  );

  async function allDelivered(timeoutMs = 15_000): Promise<void> {
    // New sends may always be in flight, so only those that are acked by now are awaited.
    const awaited = [...deliveries].filter(([, { ackedMs }]) => ackedMs !== null);
    await waitFor(() => awaited.every(([messageId]) => !deliveries.has(messageId)), {
      what: 'every acked message at every watcher',
      timeoutMs,
      everyMs: 20,
    });
  }

  async function close() {
    isEnding = true;
    isClosing = true;
    await Promise.all([...watchers, ...writers].map((socket) => socket.close()));
  }

  return {
    channels,
    watchers,
    writers,
    watcherIds,
    refusals,
    allDelivered,
    get slowestAnswerMs() {
      return Math.round(slowestAnswerMs);
    },
    get ackedCount() {
      return ledger.sends.totals.acked;
    },
    get worstDelayMs() {
      const ackTimes = [...deliveries.values()].map(({ ackedMs }) => ackedMs ?? Infinity);
      const oldestMs = Math.min(...ackTimes.filter((ackedMs) => ackedMs >= measuredFromMs));
      return Math.round(Math.max(worstDelayMs, performance.now() - oldestMs));
    },
    resetDelay() {
      worstDelayMs = 0;
      measuredFromMs = performance.now();
    },
    async moreAcks(more, timeoutMs = 15_000) {
      const { totals } = ledger.sends;
      const wanted = totals.acked + more;
      await waitFor(() => totals.acked >= wanted, { what: `${more} more acks`, timeoutMs });
    },
    async stop() {
      isEnding = true;
      await Promise.all(sending);
      await allDelivered().catch((error: unknown) => report(String(error)));
      for (const channelId of channels) {
        const log = await readLog(creator, channelId);
        ledger.settle(
          channelId,
          log.map(({ id, seq, event }) => ({
            id,
            seq,
            type: event.type as string,
            messageId: (event.message?.id ?? null) as string | null,
            // The content of each message is its clientMessageId.
            clientMessageId: (event.message?.content ?? null) as string | null,
          })),
        );
      }
      return violations;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
