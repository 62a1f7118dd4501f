import type { ClientOptions } from '@openclaw/client';
import { WebSocket } from 'ws';
import type { TlsSettings } from '../plan/plan.ts';

export interface SocketFactory {
  /** Uses `ws`, which costs less per received frame than Node's own WebSocket when a process has many agents. */
  readonly webSocket: NonNullable<ClientOptions['webSocket']>;
  /** Ends the newest socket at once, without a close frame. */
  cut(): void;
}

export function tlsOptions({ ca, isInsecure }: TlsSettings): {
  readonly ca?: string;
  readonly rejectUnauthorized: boolean;
} {
  return { rejectUnauthorized: !isInsecure, ...(ca !== null && { ca }) };
}

export function createSocketFactory(tls: TlsSettings): SocketFactory {
  let cutNewest: (() => void) | null = null;
  class LeanSocket extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, { perMessageDeflate: false, ...tlsOptions(tls) });
      cutNewest = () => this.terminate();
    }
  }
  return {
    webSocket: LeanSocket as unknown as SocketFactory['webSocket'],
    cut: () => cutNewest?.(),
  };
}
