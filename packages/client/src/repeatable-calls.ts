import type { MethodName } from '@openclaw/protocol';

// These methods create something. The client adds an id, so that a repeat after a lost answer does not create it twice.
const methodsWithClientMessageId: ReadonlySet<MethodName> = new Set<MethodName>([
  'message.send',
  'direct.send',
  'ask.create',
  'question.open',
  'thread.create',
  'collaboration.emit',
]);
// These calls are useless when they arrive late.
const ephemeralMethods: ReadonlySet<MethodName> = new Set<MethodName>([
  'typing.start',
  'typing.stop',
  'turn.set',
  'ping',
]);

/**
 * The time in ms, then 128 random bits, as hex. Ids that begin with the time are next to each other in the hub's index,
 * so a commit touches fewer pages. `crypto.randomUUID` does not exist on pages without TLS, and React Native has no
 * `crypto` at all. An id need not be secret, only unique, so `Math.random` is enough without `crypto`.
 */
export function createClientMessageId(): string {
  const bytes = new Uint8Array(16);
  const { crypto } = globalThis as Partial<typeof globalThis>;
  if (crypto === undefined) bytes.forEach((_, at) => (bytes[at] = Math.random() * 256));
  else crypto.getRandomValues(bytes);
  const random = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${Date.now().toString(16).padStart(12, '0')}-${random}`;
}

/** Adds a `clientMessageId` where the method takes one and the caller gave none. */
export function withClientMessageId(method: MethodName, params: object): object {
  if (!methodsWithClientMessageId.has(method)) return params;
  const given = (params as { clientMessageId?: string | null }).clientMessageId;
  return given == null ? { ...params, clientMessageId: createClientMessageId() } : params;
}

/** An ephemeral call does not wait for a connection. */
export function isEphemeral(method: MethodName): boolean {
  return ephemeralMethods.has(method);
}

/** True when the call may be sent again after the connection was lost before its answer arrived. */
export function isRepeatable(method: MethodName, params: object): boolean {
  if (ephemeralMethods.has(method)) return false;
  // A global event is not logged, so the hub cannot recognize a repeat.
  if (method === 'collaboration.emit') return (params as { channelId: unknown }).channelId !== null;
  // Without a channelId from the caller, a repeat would create a second channel.
  if (method === 'channel.create') return (params as { channelId?: unknown }).channelId != null;
  return true;
}
