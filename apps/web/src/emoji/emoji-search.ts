import { canonicalEmoji } from '@openclaw/protocol/wire';
// The page loads this list only with the first search, so that the list does not delay the start.
import emojis from 'emojilib/emojis.json' with { type: 'json' };

export interface NamedEmoji {
  readonly emoji: string;
  readonly name: string;
}

interface Listed extends NamedEmoji {
  readonly words: readonly string[];
}

const all: readonly Listed[] = Object.entries(
  emojis as Readonly<Record<string, { readonly char: string | null; readonly keywords: string[] }>>,
).flatMap(([name, { char, keywords }]) => {
  if (char === null) return [];
  const emoji = canonicalEmoji(char);
  const words = [name, ...keywords].flatMap((text) => text.toLowerCase().split(/[\s_-]+/));
  return [{ emoji, name: name.replaceAll('_', ' '), words }];
});

/** Finds emoji whose names or keywords contain every word. The best match comes first. */
export function searchEmojis(text: string, max: number): readonly NamedEmoji[] {
  const wanted = text
    .toLowerCase()
    .split(/[\s_:-]+/)
    .filter(Boolean);
  if (wanted.length === 0) return [];
  const found: { readonly listed: Listed; readonly rank: number }[] = [];
  for (const listed of all) {
    const ranks = wanted.map((word) => rankOf(listed, word));
    if (ranks.every((rank) => rank !== null)) {
      found.push({ listed, rank: ranks.reduce((sum, rank) => sum + rank, 0) });
    }
  }
  // The library lists common emoji first. The sort is stable, so emoji of equal rank keep this order.
  return found
    .sort((a, b) => a.rank - b.rank)
    .slice(0, max)
    .map(({ listed: { emoji, name } }) => ({ emoji, name }));
}

function rankOf({ name, words }: Listed, word: string): number | null {
  if (name === word) return 0;
  if (words.includes(word)) return 1;
  if (words.some((each) => each.startsWith(word))) return 2;
  return words.some((each) => each.includes(word)) ? 3 : null;
}
