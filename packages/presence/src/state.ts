import { PresenceError } from './errors.ts';

export const presenceStatuses = ['online', 'away', 'dnd'] as const;
/** An agent without a lease is `offline`, which no agent can set. */
export type PresenceStatus = (typeof presenceStatuses)[number];

/** The application's data: at most 1,024 bytes of JSON, because every listing repeats it. */
export type PresenceMetadata = Readonly<Record<string, unknown>>;

/** Empty text is null. */
export interface PresenceState {
  readonly status: PresenceStatus;
  readonly customStatus: string | null;
  readonly avatar: string | null;
  readonly metadata?: PresenceMetadata | null;
}

/** An agent in a channel as others see it: the element of a `channel.presence` event. */
export interface PresenceRecord {
  readonly agentId: string;
  readonly status: PresenceStatus | 'offline';
  /** The last known value when the agent is offline. */
  readonly customStatus: string | null;
  /** The last known value when the agent is offline. */
  readonly avatar: string | null;
  /** The last known value when the agent is offline. Absent for none. */
  readonly metadata?: PresenceMetadata | null;
  /**
   * When the agent last joined, set its state, was renewed or left. Milliseconds of Redis time; while Redis is away, of
   * this process' time. Never decreases from one record of the agent to the next.
   */
  readonly lastSeen: number;
}

export const defaultState: PresenceState = { status: 'online', customStatus: null, avatar: null };

/** Counts UTF-16 units. The length is bounded, because every listing repeats the texts. */
const maxTextLength = 1024;
const maxMetadataBytes = 1024;

/** Replaces empty text with null. @throws {PresenceError} `invalid_argument` */
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

/** The caller may change its object later. */
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

export function metadataText({ metadata }: Pick<PresenceState, 'metadata'>): string {
  return metadata ? JSON.stringify(metadata) : '';
}

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

/** The agent's state. For an offline agent: its last known state, with the status `online`. */
export function stateOf({ status, ...state }: PresenceRecord): PresenceState {
  return toState({ ...state, status: status === 'offline' ? 'online' : status });
}

/**
 * The records of `present` that are new or changed since `known`, and an offline record for each agent that is gone. A
 * new `lastSeen` alone is no change.
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
