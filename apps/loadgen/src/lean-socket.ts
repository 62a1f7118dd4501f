import type { ClientOptions } from '@openclaw/client';
import { WebSocket } from 'ws';

/** The `ws` WebSocket. Reading from it costs less than from Node's own, and one process has a hundred agents. */
export const LeanSocket: NonNullable<ClientOptions['webSocket']> = class extends WebSocket {
  constructor(url: string, protocols: string[]) {
    super(url, protocols, { perMessageDeflate: false });
  }
} as unknown as NonNullable<ClientOptions['webSocket']>;
