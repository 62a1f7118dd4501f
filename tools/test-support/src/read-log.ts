import type { RpcSocket } from './rpc-socket.ts';

export interface LoggedEnvelope {
  readonly id: string;
  readonly seq: number;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests look into events freely
  readonly event: any;
}

/** The socket's agent must be a member or an admin. */
export async function readLog(socket: RpcSocket, channelId: string): Promise<LoggedEnvelope[]> {
  const envelopes: LoggedEnvelope[] = [];
  for (let after = 0; ; after = envelopes.at(-1)?.seq ?? 0) {
    const page = (await socket.call('log.read', { channelId, after, limit: 1000 })) as {
      events: LoggedEnvelope[];
      hasMore: boolean;
    };
    envelopes.push(...page.events);
    if (!page.hasMore || page.events.length === 0) return envelopes;
  }
}
