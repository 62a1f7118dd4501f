import type { Dialect } from './dialect.ts';

/** The ids below this one belong to joins. */
const firstMessageId = 10;

/**
 * The dialect is Engine.IO 4 and Socket.IO 5 over WebSocket alone. A client recovers by the private id and the offset
 * that it has seen, as https://socket.io/docs/v4/connection-state-recovery describes; if that fails, it joins its
 * rooms again.
 */
export const socketIoDialect: Dialect = {
  protocol: null,
  path: () => '/socket.io/?EIO=4&transport=websocket',
  refusalMark: '"error":',
  ping: { alone: '2', inside: null, pong: '3' },
  publication: (index, channelId, content) =>
    `42${firstMessageId + index}${JSON.stringify(['send', channelId, content])}`,
  converse(identity, listener) {
    const { memory } = identity;
    const connected = ({ pid }: { pid?: string }) => {
      const before = memory.get('pid');
      if (pid !== undefined) memory.set('pid', pid);
      if (before !== undefined && before === pid) listener.ready();
      else {
        if (before !== undefined) listener.positionLost();
        listener.send(`421${JSON.stringify(['join', identity.channelIds])}`);
      }
    };
    return {
      opened: () => undefined,
      read(text) {
        if (text === '2') listener.send('3');
        else if (text.startsWith('0')) {
          const pid = memory.get('pid');
          const offset = memory.get('offset');
          const recovers = pid !== undefined && offset !== undefined;
          listener.send(recovers ? `40${JSON.stringify({ pid, offset })}` : '40');
        } else if (text.startsWith('40')) connected(JSON.parse(text.slice(2)) as { pid?: string });
        else if (text.startsWith('42')) {
          const [, { content }, offset] = JSON.parse(text.slice(2)) as [
            string,
            { content: string },
            string?,
          ];
          if (offset !== undefined) memory.set('offset', offset);
          listener.message(content);
        } else if (text.startsWith('43')) {
          const id = Number.parseInt(text.slice(2));
          if (id === 1) listener.ready();
          else listener.accepted(id - firstMessageId);
        } else if (text.startsWith('44')) listener.refused(text);
      },
    };
  },
};
