import { createDeliveryLedger, type DeliveryLedger } from './delivery-ledger.ts';
import type { HubProcess } from './hub.ts';
import { waitFor } from './processes.ts';
import { connectRpc, RpcCallError, type RpcSocket } from './rpc-socket.ts';

/** A steady stream of messages over hubs, watched on each by a bare socket that repairs nothing. */
export interface ChatTraffic {
  readonly channels: readonly string[];
  readonly ledger: DeliveryLedger;
  /** One a hub, subscribed to every channel. */
  readonly watchers: readonly RpcSocket[];
  /** One a hub. */
  readonly writers: readonly RpcSocket[];
  /** The watchers' agents, in the order of their hubs. */
  readonly watcherIds: readonly string[];
  /** The longest that any send took to be answered, in ms. */
  readonly slowestAnswerMs: number;
  /** Codes of the refused sends, and how many of each; each was tried again with its clientMessageId. */
  readonly refusals: ReadonlyMap<string, number>;
  /** Resolves once this many more messages are acked. */
  moreAcks(count: number, timeoutMs?: number): Promise<void>;
  /** Resolves once every message acked so far is with every watcher. */
  allDelivered(timeoutMs?: number): Promise<void>;
  /** Ends the stream once what is on its way is acked and with every watcher; answers all that went wrong. */
  stop(): Promise<string[]>;
  /** Closes the sockets. */
  close(): Promise<void>;
}

/** Options of {@link startChatTraffic}. */
export interface ChatTrafficOptions {
  /** Channels; one half is written on every hub, the other each on one hub alone. @default 4 */
  readonly channels?: number;
  /** Pause between a sender's ack and its next message. @default 40 */
  readonly everyMs?: number;
  /** Ids of agents and channels begin with it. @default 'traffic' */
  readonly name?: string;
}

const retryPauseMs = 100;
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Connects an agent to a hub in dev mode. */
export function connectAgent(hub: HubProcess, agentId: string): Promise<RpcSocket> {
  return connectRpc(`${hub.url}/v1/ws?agent=${agentId}`);
}

/** Makes the channels, connects watchers and writers, and begins to send. Hubs must run in dev mode. */
export async function startChatTraffic(
  hubs: readonly HubProcess[],
  { channels: count = 4, everyMs = 40, name = 'traffic' }: ChatTrafficOptions = {},
): Promise<ChatTraffic> {
  const ledger = createDeliveryLedger();
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
  const base = new Map<string, number>();
  for (const [at, watcher] of watchers.entries()) {
    watch(watcher, watcherIds[at] as string);
    const { topics } = await watcher.call('subscribe', {
      topics: channels.map((channelId) => ({ channelId })),
    });
    for (const { channelId, head } of topics as { channelId: string; head: number }[]) {
      base.set(channelId, head);
    }
  }

  function watch(socket: RpcSocket, watcher: string): void {
    let taken = 0;
    // After the socket's own listener, so that what came is parsed already.
    socket.ws.on('message', () => {
      for (; taken < socket.events.length; taken += 1) take(watcher, socket.events[taken]);
    });
  }
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as it came
  function take(watcher: string, { event, channelId, seq }: any): void {
    if (!channels.includes(channelId as string)) return;
    if (event.type === 'channel.presence') {
      for (const { agentId, status } of event.presences as { agentId: string; status: string }[]) {
        if (status === 'offline' && watcherIds.includes(agentId)) {
          ledger.blame(`${watcher} heard that ${agentId} is offline, who never left`);
        }
      }
    }
    if (seq === null) return;
    const isMessage = event.type === 'channel.message';
    ledger.saw(watcher, {
      channelId,
      seq,
      messageId: isMessage ? event.message.id : null,
      content: isMessage ? event.message.content : null,
    });
  }
  for (const [at, socket] of [...watchers, ...writers].entries()) {
    void socket.closed.then(({ code, reason }) => {
      if (!isClosing) ledger.blame(`socket ${at} was closed with ${code} ${reason}`);
    });
  }

  let isEnding = false;
  let isClosing = false;
  let slowestAnswerMs = 0;
  const refusals = new Map<string, number>();

  /** Sends until it is acked; a refusal that says "later", or "perhaps", is tried again under the same id. */
  async function sendOne(writer: RpcSocket, channelId: string, content: string): Promise<void> {
    for (;;) {
      const startedMs = performance.now();
      try {
        const params = { channelId, content, clientMessageId: content };
        const { messageId, seq } = await writer.call('message.send', params);
        ledger.acked({ channelId, seq, messageId, content });
        return;
      } catch (error) {
        const code = error instanceof RpcCallError ? error.code : undefined;
        if (code !== 'unavailable' && code !== 'timeout') throw error;
        refusals.set(code, (refusals.get(code) ?? 0) + 1);
      } finally {
        slowestAnswerMs = Math.max(slowestAnswerMs, performance.now() - startedMs);
      }
      await pause(retryPauseMs);
    }
  }
  async function send(writer: RpcSocket, sender: number, channelId: string): Promise<void> {
    for (let count = 0; !isEnding; count += 1) {
      try {
        await sendOne(writer, channelId, `${channelId} ${sender}.${count}`);
      } catch (error) {
        if (!isClosing) ledger.blame(`a send failed: ${String(error)}`);
        return;
      }
      await pause(everyMs);
    }
  }
  // Every other channel is written on one hub alone: there no commit of its own shows the other hub what it missed.
  const sending = writers.flatMap((writer, sender) =>
    channels
      .filter((_, index) => index % 2 === 0 || ((index - 1) / 2) % hubs.length === sender)
      .map((channelId) => send(writer, sender, channelId)),
  );

  const allDelivered = async (timeoutMs = 15_000): Promise<void> => {
    const what = 'every acked message with every watcher';
    // While sends go on there may be no moment without any under way.
    const count = ledger.ackedCount;
    await waitFor(() => ledger.owed(watcherIds, count) === 0, { what, timeoutMs, everyMs: 20 });
  };
  return {
    channels,
    ledger,
    watchers,
    writers,
    watcherIds,
    refusals,
    allDelivered,
    get slowestAnswerMs() {
      return Math.round(slowestAnswerMs);
    },
    async moreAcks(count, timeoutMs = 15_000) {
      const wanted = ledger.ackedCount + count;
      await waitFor(() => ledger.ackedCount >= wanted, { what: `${count} more acks`, timeoutMs });
    },
    async stop() {
      isEnding = true;
      await Promise.all(sending);
      await allDelivered().catch((error: unknown) => ledger.blame(String(error)));
      return ledger.violations(watcherIds, base);
    },
    async close() {
      isEnding = true;
      isClosing = true;
      await Promise.all([...watchers, ...writers].map((socket) => socket.close()));
    },
  };
}
