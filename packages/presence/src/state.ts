import { PresenceError } from './errors.ts';

/** What an agent may say of itself. */
export const presenceStatuses = ['online', 'away', 'dnd'] as const;
/** What an agent may say of itself; offline is said by its leases. */
export type PresenceStatus = (typeof presenceStatuses)[number];

/** What an agent shows. Empty text is null. */
export interface PresenceState {
  readonly status: PresenceStatus;
  readonly customStatus: string | null;
  readonly avatar: string | null;
}

/** What others see of an agent in a channel: the element of a `channel.presence` event. */
export interface PresenceRecord {
  readonly agentId: string;
  readonly status: PresenceStatus | 'offline';
  /** Of an offline agent: as last known. */
  readonly customStatus: string | null;
  readonly avatar: string | null;
  /**
   * Milliseconds of Redis time: when the agent last joined, set its state, was renewed, or left. Of two records of an
   * agent the later decision never has the earlier time. While Redis is away it is this process' time.
   */
  readonly lastSeen: number;
}

/** How it begins for an agent that said nothing. */
export const plainState: PresenceState = { status: 'online', customStatus: null, avatar: null };

/** The longest customStatus or avatar, in UTF-16 units: they are repeated in every listing. */
export const maxTextLength = 1024;

/** The state as it is stored: every field that is given, checked, empty text as null. @throws {PresenceError} `invalid_argument` */
export function parseState<S extends Partial<PresenceState>>(state: S): S {
  const { status } = state;
  if (status !== undefined && !presenceStatuses.includes(status)) {
    throw new PresenceError('invalid_argument', `not a status: ${JSON.stringify(status)}`);
  }
  const text = (name: 'customStatus' | 'avatar') => {
    const value: unknown = state[name];
    if (value === undefined || value === null) return;
    if (typeof value !== 'string' || value.length > maxTextLength) {
      throw new PresenceError(
        'invalid_argument',
        `${name} is not text of at most ${maxTextLength}`,
      );
    }
  };
  text('customStatus');
  text('avatar');
  if (state.customStatus !== '' && state.avatar !== '') return state;
  return {
    ...state,
    ...(state.customStatus === '' ? { customStatus: null } : {}),
    ...(state.avatar === '' ? { avatar: null } : {}),
  };
}

/** Whether both show the same. */
export function isSameState(a: PresenceState, b: PresenceState): boolean {
  return a.status === b.status && a.customStatus === b.customStatus && a.avatar === b.avatar;
}

/** The state within a record; of an offline one it is what it would come back with. */
export function stateOf({ status, customStatus, avatar }: PresenceRecord): PresenceState {
  return { status: status === 'offline' ? 'online' : status, customStatus, avatar };
}
