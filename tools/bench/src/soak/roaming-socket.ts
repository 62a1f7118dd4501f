import type { ClientOptions } from '@openclaw/client';
import { WebSocket } from 'ws';

/** Makes sockets that go where `pickPort` says at each attempt; `onOpened` and `onSent` hear of it. */
export function createRoamingSocket(hooks: {
  pickPort(): number;
  /** With how to break the new socket without a farewell. */
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
