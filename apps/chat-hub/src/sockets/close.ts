import type { WebSocket } from 'ws';

/** How long a peer may take to answer a close before its socket is destroyed. */
const closeTimeoutMs = 2_000;

/** Destroys the socket unless its peer answers the close in time. */
export function terminateLater(ws: WebSocket): void {
  setTimeout(() => ws.terminate(), closeTimeoutMs).unref();
}

/** Close codes that ws sends by itself, and the protocol's codes to send in their place. */
const protocolCloses = new Map<number | undefined, readonly [code: number, reason: string]>([
  [1009, [4413, 'a frame was over limits.frameBytes']],
  [1008, [4429, 'too many fragments']],
]);

/** Translates the close codes of ws. The returned function gives the hub's close code, or null if the peer closed first. */
export function useProtocolCloseCodes(ws: WebSocket): () => number | null {
  const close = ws.close.bind(ws);
  let closedWith: number | null = null;
  ws.close = (code, reason) => {
    // ws answers a peer's close with the peer's own code, and passes its reason on as bytes.
    if (code === undefined || Buffer.isBuffer(reason)) {
      close(code, reason);
      return;
    }
    const [ours, why] = protocolCloses.get(code) ?? [code, reason];
    closedWith ??= ours;
    close(ours, why);
  };
  return () => closedWith;
}

/** Close codes of a peer that closes or loses its connection without an error. */
const normalCodes: ReadonlySet<number> = new Set([1000, 1001, 1005, 1006]);

/** The metric label of a close. A code that a peer made up becomes `other`, so that peers cannot add labels. */
export function closeLabel(ours: number | null, theirs: number): string {
  if (ours !== null) return String(ours);
  return normalCodes.has(theirs) ? String(theirs) : 'other';
}
