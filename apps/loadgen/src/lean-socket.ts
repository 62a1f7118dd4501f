import type { ClientOptions } from '@openclaw/client';
import { WebSocket } from 'ws';

/** A WebSocket for a process that plays a hundred agents: reading with it costs less than with Node's own. */
export const LeanSocket: NonNullable<ClientOptions['webSocket']> = class extends WebSocket {
  constructor(url: string, protocols: string[]) {
    super(url, protocols, { perMessageDeflate: false });
  }
} as unknown as NonNullable<ClientOptions['webSocket']>;
