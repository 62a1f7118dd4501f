/** Most important first. An event with several reasons has one inbox item, with the most important reason. */
export const inboxReasons = ['ask', 'question', 'mention', 'direct', 'reply', 'answer'] as const;
export type InboxReason = (typeof inboxReasons)[number];
