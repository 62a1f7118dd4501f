/**
 * The rule of every channelId, agentId, sessionId, messageId and threadId. No colon (one Redis key could name another), no
 * brace (it would break Cluster slots), no space, no slash; the first character is a letter or digit.
 */
export const idPattern: RegExp = /^[A-Za-z0-9][A-Za-z0-9._@|~-]{0,127}$/;

/** The prefix of the ids of direct channels, which only the hub creates. */
export const directChannelPrefix = 'dm_';

/** True for a string that matches {@link idPattern}. */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && idPattern.test(value);
}

/** True for the id of a direct channel, which no client may create. */
export function isDirectChannelId(channelId: string): boolean {
  return channelId.startsWith(directChannelPrefix);
}
