import type { Dialect } from './dialect.ts';

/** The dialect of the comparison's server `floor`: bare JSON without recovery. */
export const plainDialect: Dialect = {
  protocol: null,
  path: (agentId) => `/?agent=${agentId}`,
  refusalMark: '"error":',
  ping: null,
  publication: (index, channelId, content) => JSON.stringify({ id: index, channelId, content }),
  converse: (identity, listener) => ({
    opened: () => listener.send(JSON.stringify({ join: identity.channelIds })),
    read(text) {
      const message = JSON.parse(text) as {
        joined?: true;
        accepted?: number;
        content?: string;
        error?: string;
      };
      if (message.joined) listener.ready();
      else if (message.accepted !== undefined) listener.accepted(message.accepted);
      else if (message.content !== undefined) listener.message(message.content);
      else listener.refused(text);
    },
  }),
};
