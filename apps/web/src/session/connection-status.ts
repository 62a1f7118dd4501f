import type { ConnectionState } from '@openclaw/client';

export interface ConnectionInfo {
  readonly state: ConnectionState;
  /** Null unless the client waits before its next attempt to connect. */
  readonly retryInSeconds: number | null;
  readonly reason: string | null;
  /** True when the hub has lost its Redis. Then it knows presence and typing only of its own agents. */
  readonly isDegraded: boolean;
  readonly waiting: number;
  /** True when the hub does not answer, although its connection is open. */
  readonly isSilent: boolean;
}

export interface ConnectionStatus {
  readonly tone: 'good' | 'warning' | 'bad';
  readonly text: string;
  readonly detail: string | null;
}

export function describeConnection(info: ConnectionInfo): ConnectionStatus {
  const { state, retryInSeconds, reason, waiting } = info;
  if (state === 'live' && info.isSilent) {
    return {
      tone: 'bad',
      text: 'The hub does not answer',
      detail: 'What you see may be out of date. Your messages wait, and your drafts are kept.',
    };
  }
  if (state === 'live' && !info.isDegraded) return { tone: 'good', text: 'Live', detail: null };
  if (state === 'live') {
    return {
      tone: 'warning',
      text: 'Live, degraded',
      detail: 'Redis is unavailable: messages arrive; presence and typing cover this hub only.',
    };
  }
  if (state === 'closed') return { tone: 'bad', text: 'Signed out', detail: reason };
  const pending = waiting > 0 ? `${waiting} waiting to be sent.` : 'Your drafts are kept.';
  const action = state === 'connecting' ? 'Connecting' : 'Reconnecting';
  return {
    tone: 'bad',
    text: retryInSeconds === null ? `${action}…` : `${action} in ${retryInSeconds} s`,
    detail: reason === null ? pending : `${reason}. ${pending}`,
  };
}
