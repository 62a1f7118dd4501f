/** Most important first. An event with several reasons has one item, with the first of them. */
export const inboxReasons = ['ask', 'question', 'mention', 'direct', 'reply', 'answer'] as const;
export type InboxReason = (typeof inboxReasons)[number];
