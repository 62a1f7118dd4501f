import type { RpcSocket } from '@openclaw/test-support';

/** One agent's presence as a socket was told it, and when the hub said so. */
export interface ToldPresence {
  readonly agentId: string;
  readonly status: string;
  readonly atMs: number;
}

/** All that a socket was told of presence in a channel, in order. */
export function toldPresence({ events }: RpcSocket, channelId: string): ToldPresence[] {
  return events
    .filter((envelope) => envelope.channelId === channelId)
    .filter(({ event }) => event.type === 'channel.presence')
    .flatMap(({ event, timestamp }) =>
      event.presences.map(({ agentId, status }: { agentId: string; status: string }) => ({
        ...{ agentId, status, atMs: timestamp as number },
      })),
    );
}

/** What a socket was told of one agent in a channel, in order. */
export function statusesOf(socket: RpcSocket, channelId: string, agentId: string): string[] {
  return toldPresence(socket, channelId)
    .filter((told) => told.agentId === agentId)
    .map(({ status }) => status);
}
