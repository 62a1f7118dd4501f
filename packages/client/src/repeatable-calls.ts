import type { MethodName } from '@openclaw/protocol';

// An id makes a repeat after a lost answer harmless.
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
 * The time in ms, then 128 random bits. The hub's index sorts ids of one time together, so a commit touches fewer
 * database pages. `crypto.randomUUID` is not used, because it is missing on sites without TLS. React Native has no
 * `crypto`, but the id need not be secret, so Math.random suffices.
 */
export function createClientMessageId(): string {
  const bytes = new Uint8Array(16);
  const { crypto } = globalThis as Partial<typeof globalThis>;
  if (crypto === undefined) bytes.forEach((_, at) => (bytes[at] = Math.random() * 256));
  else crypto.getRandomValues(bytes);
  const random = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${Date.now().toString(16).padStart(12, '0')}-${random}`;
}

export function withClientMessageId(method: MethodName, params: object): object {
  if (!methodsWithClientMessageId.has(method)) return params;
  const given = (params as { clientMessageId?: string | null }).clientMessageId;
  return given == null ? { ...params, clientMessageId: createClientMessageId() } : params;
}

export function isEphemeral(method: MethodName): boolean {
  return ephemeralMethods.has(method);
}

/** True when the call may be sent again although it may have taken effect. */
export function isRepeatable(method: MethodName, params: object): boolean {
  if (ephemeralMethods.has(method)) return false;
  // A global event is not logged, so the hub cannot recognize a repeat.
  if (method === 'collaboration.emit') return (params as { channelId: unknown }).channelId !== null;
  // Without a channelId from the caller, a repeat would create a second channel.
  if (method === 'channel.create') return (params as { channelId?: unknown }).channelId != null;
  return true;
}
