import type { MethodName } from '@openclaw/protocol';

// What creates something carries an id of ours, so that a repeat after a lost answer is stored once.
const numbered: ReadonlySet<MethodName> = new Set<MethodName>([
  'message.send',
  'direct.send',
  'thread.create',
  'collaboration.emit',
]);
// Worth nothing when they come late.
const fleeting: ReadonlySet<MethodName> = new Set<MethodName>([
  'typing.start',
  'typing.stop',
  'ping',
]);

/**
 * The time in ms, then 128 random bits, as hex. Ids that begin with the time lie side by side in the hub's index, which
 * costs it fewer pages a commit; `crypto.randomUUID` is missing on pages without TLS.
 */
export function createClientMessageId(): string {
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(16));
  const random = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${Date.now().toString(16).padStart(12, '0')}-${random}`;
}

/** The params with a `clientMessageId`, where the method takes one and the caller gave none. */
export function withClientMessageId(method: MethodName, params: object): object {
  if (!numbered.has(method)) return params;
  const given = (params as { clientMessageId?: string | null }).clientMessageId;
  return given == null ? { ...params, clientMessageId: createClientMessageId() } : params;
}

/** Is it worth waiting for a connection with this call? */
export function isFleeting(method: MethodName): boolean {
  return fleeting.has(method);
}

/** May the call be made again after a connection was lost with its answer outstanding? */
export function isRepeatable(method: MethodName, params: object): boolean {
  if (fleeting.has(method)) return false;
  // A global event is in no log, so the hub cannot know a repeat.
  if (method === 'collaboration.emit') return (params as { channelId: unknown }).channelId !== null;
  // Without an id of the caller's, a repeat would make a second channel.
  if (method === 'channel.create') return (params as { channelId?: unknown }).channelId != null;
  return true;
}
