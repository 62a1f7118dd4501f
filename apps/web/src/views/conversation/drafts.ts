import type { Session } from '../../session/session.ts';

/** By what a message's text is kept while it is being changed. */
export function editKeyOf(messageId: string): string {
  // No channel's id begins so.
  return `/edit/${messageId}`;
}

/** Keeps a text that is not sent yet; null forgets it. */
export function keepDraft(
  { drafts }: Pick<Session, 'drafts'>,
  key: string,
  text: string | null,
): void {
  const others = { ...drafts.value };
  delete others[key];
  drafts.value = text === null ? others : { ...others, [key]: text };
}
