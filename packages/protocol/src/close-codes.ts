/** Why a hub closed a WebSocket, and whether the same client, with the same token, may come back. */
export interface CloseCode {
  readonly name: string;
  readonly meaning: string;
  readonly reconnect: boolean;
}

/** Every close code of the hub's own. */
export const closeCodes = {
  4400: {
    name: 'bad_frames',
    meaning: 'Frames that are not JSON-RPC came again and again.',
    reconnect: false,
  },
  4401: {
    name: 'unauthorized',
    meaning: 'No token, a wrong one, or it has expired: come back with a new one.',
    reconnect: false,
  },
  4403: {
    name: 'revoked',
    meaning: 'The token was revoked.',
    reconnect: false,
  },
  4408: {
    name: 'silent',
    meaning: 'Two pings without a pong.',
    reconnect: true,
  },
  4413: {
    name: 'too_large',
    meaning: 'A frame was over limits.frameBytes: do not send it again.',
    reconnect: true,
  },
  4429: {
    name: 'too_many',
    meaning:
      'Too many calls, connections or failed sign-ins, or too much left unread: come back after the reason’s afterMs, or later where it says none.',
    reconnect: true,
  },
  4503: {
    name: 'unavailable',
    meaning: 'The hub is draining or full: come back after the reason’s afterMs.',
    reconnect: true,
  },
} as const satisfies Record<number, CloseCode>;

/** One of the hub's close codes. */
export type CloseCodeNumber = keyof typeof closeCodes;

/** The reason of a 4503 or 4429: when this client should come back. */
export function encodeCloseReason(afterMs: number): string {
  return JSON.stringify({ afterMs });
}

/** The reverse of {@link encodeCloseReason}: milliseconds, or null if the reason says none. */
export function parseCloseReason(reason: string): number | null {
  try {
    const { afterMs } = JSON.parse(reason) as { afterMs?: unknown };
    return typeof afterMs === 'number' && afterMs >= 0 ? afterMs : null;
  } catch {
    return null;
  }
}
