/** The reasons for which an event is in an inbox. An event has one item, with the first of them that holds. */
export const inboxReasons = ['ask', 'question', 'mention', 'direct', 'reply', 'answer'] as const;
export type InboxReason = (typeof inboxReasons)[number];
