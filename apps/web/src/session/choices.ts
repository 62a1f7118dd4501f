import type { Signal } from '@preact/signals';

export interface Choices {
  /** Muted channels count only mentions. */
  readonly muted: readonly string[];
  readonly favourites: readonly string[];
  readonly isUnreadOnly: boolean;
}

export const noChoices: Choices = { muted: [], favourites: [], isUnreadOnly: false };

const channelsMax = 1_000;

export function toggleChannel(
  choices: Signal<Choices>,
  list: 'muted' | 'favourites',
  channelId: string,
): void {
  const before = choices.peek()[list];
  const others = before.filter((id) => id !== channelId);
  const next = others.length < before.length ? others : [...before, channelId];
  choices.value = { ...choices.peek(), [list]: next.slice(-channelsMax) };
}
