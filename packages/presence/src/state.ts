import { PresenceError } from './errors.ts';

export const presenceStatuses = ['online', 'away', 'dnd'] as const;
/** A status that an agent can set. An agent without a lease is `offline`. */
export type PresenceStatus = (typeof presenceStatuses)[number];

/** The application's own data, which JSON can carry: at most 1,024 bytes of JSON, because every listing repeats it. */
export type PresenceMetadata = Readonly<Record<string, unknown>>;

/** The state that an agent sets. Empty text is null. */
export interface PresenceState {
  readonly status: PresenceStatus;
  readonly customStatus: string | null;
  readonly avatar: string | null;
  /** Absent or null: none. */
  readonly metadata?: PresenceMetadata | null;
}

/** An agent in a channel as others see it: the element of a `channel.presence` event. */
export interface PresenceRecord {
  readonly agentId: string;
  readonly status: PresenceStatus | 'offline';
  /** The last known text when the agent is offline. */
  readonly customStatus: string | null;
  /** The last known avatar when the agent is offline. */
  readonly avatar: string | null;
  /** The last known metadata when the agent is offline. Absent when it has none. */
  readonly metadata?: PresenceMetadata | null;
  /**
   * The time at which the agent last joined, set its state, was renewed or left, in ms of Redis time; while Redis is
   * away, in this process' time. The times of an agent's records never decrease.
   */
  readonly lastSeen: number;
}

/** The state of an agent that has set none. */
export const defaultState: PresenceState = { status: 'online', customStatus: null, avatar: null };

/** The longest customStatus or avatar, in UTF-16 units: every listing repeats them. */
const maxTextLength = 1024;
const maxMetadataBytes = 1024;

/** Checks the given fields and replaces empty text with null. @throws {PresenceError} `invalid_argument` */
export function parseState<S extends Partial<PresenceState>>(state: S): S {
  const { status } = state;
  if (status !== undefined && !presenceStatuses.includes(status)) {
    throw new PresenceError('invalid_argument', `not a status: ${JSON.stringify(status)}`);
  }
  const parsed: S = { ...state };
  for (const name of ['customStatus', 'avatar'] as const) {
    const value: unknown = state[name];
    if (value === undefined || value === null) continue;
    if (typeof value !== 'string' || value.length > maxTextLength) {
      throw new PresenceError(
        'invalid_argument',
        `${name} must be text of at most ${maxTextLength} characters`,
      );
    }
    if (value === '') Object.assign(parsed, { [name]: null });
  }
  const { metadata } = state;
  if (metadata !== undefined && metadata !== null) {
    Object.assign(parsed, { metadata: copyMetadata(metadata) });
  }
  return parsed;
}

/** A copy, because the caller may change its object. */
function copyMetadata(metadata: PresenceMetadata): PresenceMetadata {
  let text: string | undefined;
  let cause: unknown;
  try {
    text = JSON.stringify(metadata);
  } catch (error) {
    cause = error;
  }
  const copy =
    text !== undefined && Buffer.byteLength(text) <= maxMetadataBytes ? parseMetadata(text) : null;
  if (copy !== null) return copy;
  throw new PresenceError(
    'invalid_argument',
    `metadata must be an object of at most ${maxMetadataBytes} bytes of JSON`,
    cause,
  );
}

/** The metadata of a stored text; null for an empty text and for one that is corrupt. */
export function parseMetadata(text: string): PresenceMetadata | null {
  if (text === '') return null;
  try {
    const value = JSON.parse(text) as unknown;
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as PresenceMetadata) : null;
  } catch {
    return null;
  }
}

/** The metadata as it is stored; empty for none. */
export function metadataText({ metadata }: Pick<PresenceState, 'metadata'>): string {
  return metadata ? JSON.stringify(metadata) : '';
}

/** A state of all fields. `metadata` is absent when there is none. */
export function toState({ status, customStatus, avatar, metadata }: PresenceState): PresenceState {
  return { status, customStatus, avatar, ...(metadata && { metadata }) };
}

export function isSameState(
  a: Omit<PresenceRecord, 'agentId' | 'lastSeen'>,
  b: Omit<PresenceRecord, 'agentId' | 'lastSeen'>,
): boolean {
  return (
    a.status === b.status &&
    a.customStatus === b.customStatus &&
    a.avatar === b.avatar &&
    metadataText(a) === metadataText(b)
  );
}

/** The state in a record. In an offline record this is the state with which the agent would return. */
export function stateOf({ status, ...state }: PresenceRecord): PresenceState {
  return toState({ ...state, status: status === 'offline' ? 'online' : status });
}

/**
 * The records that lead from `known` to `present`: one for each new agent or changed state, without comparing
 * `lastSeen`, and an offline record for each agent that is no longer present.
 */
export function presenceDifference(
  known: Iterable<PresenceRecord>,
  present: Iterable<PresenceRecord>,
): PresenceRecord[] {
  const missing = new Map<string, PresenceRecord>();
  for (const record of known) {
    if (record.status !== 'offline') missing.set(record.agentId, record);
  }
  const difference: PresenceRecord[] = [];
  for (const record of present) {
    const old = missing.get(record.agentId);
    missing.delete(record.agentId);
    if (!old || !isSameState(old, record)) difference.push(record);
  }
  for (const record of missing.values()) difference.push({ ...record, status: 'offline' });
  return difference;
}
