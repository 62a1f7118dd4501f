import type { RpcSocket } from '@openclaw/test-support';

export interface PresenceChange {
  readonly agentId: string;
  readonly status: string;
  readonly atMs: number;
}

export function presenceEvents({ events }: RpcSocket, channelId: string): PresenceChange[] {
  return events
    .filter((envelope) => envelope.channelId === channelId)
    .filter(({ event }) => event.type === 'channel.presence')
    .flatMap(({ event, timestamp }) =>
      event.presences.map(({ agentId, status }: { agentId: string; status: string }) => ({
        agentId,
        status,
        atMs: timestamp as number,
      })),
    );
}

export function statusesOf(socket: RpcSocket, channelId: string, agentId: string): string[] {
  return presenceEvents(socket, channelId)
    .filter((change) => change.agentId === agentId)
    .map(({ status }) => status);
}
