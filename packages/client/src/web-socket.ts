/** The part of a WebSocket that the client uses: a browser's, Node's own, or the `ws` package's. */
export interface WebSocketLike {
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onerror: ((event: { readonly message?: string }) => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

/** How a WebSocket is made. */
export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;
