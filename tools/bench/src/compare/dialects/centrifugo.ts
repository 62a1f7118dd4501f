import type { Dialect } from './dialect.ts';

interface Publication {
  readonly data: { readonly text: string };
  readonly offset?: number;
}
interface Reply {
  readonly id?: number;
  readonly error?: { readonly code: number };
  readonly connect?: object;
  readonly subscribe?: {
    readonly epoch?: string;
    readonly offset?: number;
    readonly recovered?: boolean;
    readonly was_recovering?: boolean;
    readonly publications?: readonly Publication[];
  };
  readonly publish?: object;
  readonly push?: {
    readonly channel?: string;
    readonly pub?: Publication;
    readonly disconnect?: object;
  };
}

/** Lower ids are those of connect and subscribe commands. */
const firstMessageId = 1_000;

/**
 * Each line of JSON is one command or reply. A client recovers each channel by the epoch and the offset that it has
 * seen, as https://centrifugal.dev/docs/server/history_and_recovery describes.
 */
export const centrifugoDialect: Dialect = {
  protocol: null,
  path: () => '/connection/websocket',
  refusalMark: '"error":',
  ping: { alone: '{}', inside: '\n{}', pong: '{}' },
  publication: (index, channel, content) =>
    JSON.stringify({ id: firstMessageId + index, publish: { channel, data: { text: content } } }),
  converse(identity, listener) {
    const { channelIds, memory } = identity;
    let awaited = channelIds.length;
    const subscription = (channel: string, at: number) => {
      const epoch = memory.get(`epoch of ${channel}`);
      const offset = memory.get(`offset of ${channel}`);
      const recovery = epoch === undefined ? {} : { recover: true, epoch, offset: offset ?? 0 };
      return JSON.stringify({ id: 2 + at, subscribe: { channel, ...recovery } });
    };
    const deliver = (channel: string, { data, offset }: Publication) => {
      if (offset !== undefined) memory.set(`offset of ${channel}`, offset);
      listener.message(data.text);
    };
    const read = (reply: Reply) => {
      if (reply.error) listener.refused(JSON.stringify(reply));
      else if (reply.push?.pub) deliver(reply.push.channel ?? '', reply.push.pub);
      else if (reply.connect) {
        if (channelIds.length === 0) listener.ready();
        else listener.send(channelIds.map(subscription).join('\n'));
      } else if (reply.subscribe) {
        const channel = channelIds[(reply.id ?? 0) - 2] ?? '';
        const { epoch, offset, recovered, was_recovering, publications = [] } = reply.subscribe;
        if (was_recovering && !recovered) listener.positionLost();
        for (const publication of publications) deliver(channel, publication);
        if (epoch !== undefined) memory.set(`epoch of ${channel}`, epoch);
        memory.set(`offset of ${channel}`, offset ?? 0);
        awaited -= 1;
        if (awaited === 0) listener.ready();
      } else if (reply.id !== undefined && reply.publish)
        listener.accepted(reply.id - firstMessageId);
      else if (Object.keys(reply).length === 0) listener.send('{}');
    };
    return {
      opened: () => listener.send(JSON.stringify({ id: 1, connect: {} })),
      read: (text) => {
        for (const line of text.split('\n')) if (line !== '') read(JSON.parse(line) as Reply);
      },
    };
  },
};
