import type { ConnectionState } from '@openclaw/client';

/** What is known of the connection, in plain values. */
export interface ConnectionFacts {
  readonly state: ConnectionState;
  /** Whole seconds until the next attempt; null while one is under way. */
  readonly retryInSeconds: number | null;
  /** Why the last connection ended. */
  readonly reason: string | null;
  /** Redis is away: presence and typing are what one hub knows. */
  readonly isDegraded: boolean;
  /** Messages that wait to be sent. */
  readonly waiting: number;
}

/** The connection line: how serious it is, what it says, and what stands behind it. */
export interface ConnectionLine {
  readonly tone: 'good' | 'warning' | 'bad';
  readonly text: string;
  readonly detail: string | null;
}

/** Says what is so, and nothing that is hoped. */
export function describeConnection(facts: ConnectionFacts): ConnectionLine {
  const { state, retryInSeconds, reason, waiting } = facts;
  if (state === 'live' && !facts.isDegraded) return { tone: 'good', text: 'Live', detail: null };
  if (state === 'live') {
    return {
      tone: 'warning',
      text: 'Live, degraded',
      detail: 'Redis is away: messages go on; presence and typing are what this hub alone knows.',
    };
  }
  if (state === 'closed') return { tone: 'bad', text: 'Signed out', detail: reason };
  const kept = waiting > 0 ? `${waiting} waiting to be sent.` : 'What you write is kept.';
  const what = state === 'connecting' ? 'Connecting' : 'Reconnecting';
  return {
    tone: 'bad',
    text: retryInSeconds === null ? `${what}…` : `${what} in ${retryInSeconds} s`,
    detail: reason === null ? kept : `${reason}. ${kept}`,
  };
}
