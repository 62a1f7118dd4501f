/** Time to live of each key that expires, in milliseconds. */
export const ttlMs = {
  presence: 300_000,
  typing: 10_000,
  channel: 3_600_000,
  channelMembers: 3_600_000,
  recentMessages: 300_000,
  rateLimit: 60_000,
} as const;

/** The most messages that `messages:{channelId}:recent` holds. */
export const recentMessagesMax = 50;
