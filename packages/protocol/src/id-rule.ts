/**
 * The rule that every channelId, agentId, sessionId, messageId and threadId keeps. No colon (one Redis key could name
 * another), no brace (it would break Cluster slots), no space, no slash; the first character is a letter or digit.
 */
export const idPattern: RegExp = /^[A-Za-z0-9][A-Za-z0-9._@|~-]{0,127}$/;

/** ChannelIds that begin so are the hub's own: the direct channels. */
export const directChannelPrefix = 'dm_';

/** Is it a string that keeps {@link idPattern}? */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && idPattern.test(value);
}

/** Does the channelId name a direct channel (and so, may no client create it)? */
export function isDirectChannelId(channelId: string): boolean {
  return channelId.startsWith(directChannelPrefix);
}
