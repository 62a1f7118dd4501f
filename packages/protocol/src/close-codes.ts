/** `reconnect`: the client may reconnect with the same token. */
export interface CloseCode {
  readonly name: string;
  readonly meaning: string;
  readonly reconnect: boolean;
}

export const closeCodes = {
  4400: {
    name: 'bad_frames',
    meaning: 'Too many frames that are not JSON-RPC.',
    reconnect: false,
  },
  4401: {
    name: 'unauthorized',
    meaning: 'The token is missing, wrong or expired: reconnect with a new one.',
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
      'Too many calls, connections or failed sign-ins, or too much unread output: reconnect after the reason’s afterMs, or later if there is none.',
    reconnect: true,
  },
  4503: {
    name: 'unavailable',
    meaning: 'The hub is draining or full: reconnect after the reason’s afterMs.',
    reconnect: true,
  },
} as const satisfies Record<number, CloseCode>;

export type CloseCodeNumber = keyof typeof closeCodes;

/** The reason of a 4503 or 4429: the delay after which this client may reconnect. */
export function encodeCloseReason(afterMs: number): string {
  return JSON.stringify({ afterMs });
}

/** Milliseconds, or null for any other reason. */
export function parseCloseReason(reason: string): number | null {
  try {
    const { afterMs } = JSON.parse(reason) as { afterMs?: unknown };
    return typeof afterMs === 'number' && afterMs >= 0 ? afterMs : null;
  } catch {
    return null;
  }
}
