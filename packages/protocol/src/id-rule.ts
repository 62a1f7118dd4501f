/**
 * The pattern of channelId, agentId, sessionId, messageId and threadId. A colon could make one Redis key equal another,
 * and a brace would change Cluster slots; neither is allowed, nor are spaces and slashes.
 */
export const idPattern: RegExp = /^[A-Za-z0-9][A-Za-z0-9._@|~-]{0,127}$/;

/** The prefix of the channelIds of direct channels, which only the hub creates. */
export const directChannelPrefix = 'dm_';

/** True for a string that matches {@link idPattern}. */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && idPattern.test(value);
}

/** True for the id of a direct channel. */
export function isDirectChannelId(channelId: string): boolean {
  return channelId.startsWith(directChannelPrefix);
}
