import type { ClientOptions } from '@openclaw/client';
import { WebSocket } from 'ws';

/** The `ws` WebSocket, which costs less to read than Node's own: one process has a hundred agents. */
export const LeanSocket: NonNullable<ClientOptions['webSocket']> = class extends WebSocket {
  constructor(url: string, protocols: string[]) {
    super(url, protocols, { perMessageDeflate: false });
  }
} as unknown as NonNullable<ClientOptions['webSocket']>;
