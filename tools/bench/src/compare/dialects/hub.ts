import type { Dialect, Identity, Listener } from './dialect.ts';

interface Envelope {
  readonly channelId: string;
  readonly seq: number | null;
  readonly event: { readonly message?: { readonly content: string } };
}
interface TopicResult {
  readonly channelId: string;
  readonly head: number;
  readonly resumed: boolean;
  readonly events: readonly Envelope[];
  readonly error?: unknown;
}
interface RpcMessage {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

const subscribeId = 'subscribe';

export const hubDialect: Dialect = {
  protocol: 'openclaw.v1',
  path: (agentId) => `/v1/ws?agent=${agentId}`,
  refusalMark: '"error":',
  ping: null,
  publication: (index, channelId, content) =>
    JSON.stringify({
      jsonrpc: '2.0',
      id: index,
      method: 'message.send',
      params: { channelId, content, clientMessageId: `bench-${index}` },
    }),
  converse(identity, listener) {
    const read = (message: RpcMessage) => {
      if (message.method === 'welcome') subscribe(message.params as { epoch: string });
      else if (message.method === 'event') deliver(message.params as Envelope);
      else if (message.method === 'reconnect')
        listener.reconnect((message.params as { afterMs: number }).afterMs);
      else if (message.method === 'discontinuity') {
        const { channelId, head } = message.params as { channelId: string; head: number };
        identity.memory.set(channelId, head);
        listener.positionLost();
      } else if (message.id === subscribeId) subscribed(message, identity, listener, deliver);
      else if (message.error !== undefined) listener.refused(JSON.stringify(message));
      else if (typeof message.id === 'number') listener.accepted(message.id);
    };
    const subscribe = ({ epoch }: { epoch: string }) => {
      const topics = identity.channelIds.map((channelId) => {
        const since = identity.memory.get(channelId);
        return since === undefined ? { channelId } : { channelId, since };
      });
      if (topics.length === 0) listener.ready();
      else
        listener.send(
          JSON.stringify({
            jsonrpc: '2.0',
            id: subscribeId,
            method: 'subscribe',
            params: { topics, epoch },
          }),
        );
    };
    const deliver = ({ channelId, seq, event }: Envelope) => {
      if (seq !== null) identity.memory.set(channelId, seq);
      if (event.message) listener.message(event.message.content);
    };
    return {
      opened: () => undefined,
      read(text) {
        const value = JSON.parse(text) as RpcMessage | readonly RpcMessage[];
        if (Array.isArray(value)) (value as readonly RpcMessage[]).forEach(read);
        else read(value as RpcMessage);
      },
    };
  },
};

function subscribed(
  answer: RpcMessage,
  identity: Identity,
  listener: Listener,
  deliver: (envelope: Envelope) => void,
) {
  const { topics } = (answer.result ?? { topics: [] }) as { topics: readonly TopicResult[] };
  if (answer.error !== undefined || topics.some(({ error }) => error !== undefined)) {
    listener.refused(JSON.stringify(answer));
    return;
  }
  for (const { channelId, head, resumed, events } of topics) {
    if (identity.memory.has(channelId) && !resumed) listener.positionLost();
    events.forEach(deliver);
    identity.memory.set(channelId, head);
  }
  listener.ready();
}
