/** Time to live of each expiring key, in milliseconds, as the EPIC sets them. */
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
