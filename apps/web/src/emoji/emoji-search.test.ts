import { expect, it } from '@jest/globals';
import { methods } from '@openclaw/protocol';
import { searchEmojis } from './emoji-search.ts';

it('Emoji are found by name, keyword and beginning, the best match first, as the hub spells them', () => {
  expect(searchEmojis('rocket', 5)[0]).toEqual({ emoji: '🚀', name: 'rocket' });
  expect(searchEmojis('thumbsup', 5)[0]?.emoji).toBe('👍');
  expect(searchEmojis(':tada:', 5)[0]?.emoji).toBe('🎉');
  expect(searchEmojis('heart love', 9).map(({ emoji }) => emoji)).toContain('❤️');
  expect(searchEmojis('zzzz', 5)).toEqual([]);
  expect(searchEmojis(' ', 5)).toEqual([]);
  const many = searchEmojis('a', 2_000);
  expect(many.length).toBeGreaterThan(500);
  const { params } = methods['reaction.add'];
  const accepted = (emoji: string) => params.parse({ channelId: 'c', messageId: 'm', emoji }).emoji;
  expect(many.filter(({ emoji }) => accepted(emoji) !== emoji)).toEqual([]);
});
