import type { ClientOptions } from '@openclaw/client';
import { WebSocket } from 'ws';

/** Creates a WebSocket class for the SDK. At every attempt it asks `pickPort` for a hub. */
export function createRoamingSocket(hooks: {
  pickPort(): number;
  /** `terminate` breaks the socket without a close frame. */
  onOpened(terminate: () => void): void;
  onSent(text: string): void;
}): NonNullable<ClientOptions['webSocket']> {
  return class extends WebSocket {
    constructor(address: string, protocols: string[]) {
      const url = new URL(address);
      url.port = String(hooks.pickPort());
      super(url, protocols, { perMessageDeflate: false });
      hooks.onOpened(() => this.terminate());
    }

    override send(data: unknown): void {
      hooks.onSent(String(data));
      super.send(data as string);
    }
  } as unknown as NonNullable<ClientOptions['webSocket']>;
}
