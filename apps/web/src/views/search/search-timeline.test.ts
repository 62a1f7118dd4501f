import { expect, it } from '@jest/globals';
import { addPage, emptyTimeline } from '../../store/timeline.ts';
import { messageOf } from '../../testing/events.ts';
import { searchTimeline } from './search-timeline.ts';

it('A search finds messages with every word, newest first, and no deleted ones', () => {
  const messages = [
    messageOf(1, { content: 'The cache is slow' }),
    messageOf(2, { content: 'slow, but not the Cache', senderId: 'ada' }),
    messageOf(3, { content: 'slow cache', deletedAt: 9 }),
  ];
  const page = { messages, systemEvents: [], head: 3, hasMore: false };
  const timeline = addPage(emptyTimeline(), page, 'newest', 100);
  const search = (query: string) => searchTimeline(timeline, query, 9).map(({ seq }) => seq);
  expect(search('cache SLOW')).toEqual([2, 1]);
  expect(search('ada slow')).toEqual([2]);
  expect(search('  ')).toEqual([]);
});
