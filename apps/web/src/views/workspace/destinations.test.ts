import { describe, expect, it } from '@jest/globals';
import { rankDestinations } from './destinations.ts';
import { messageOf } from '../../testing/events.ts';
import { hashOf, parseRoute, type Route } from '../../page/route.ts';
import { searchTimeline } from '../search/search-timeline.ts';
import { addPage, emptyTimeline } from '../../store/timeline.ts';

describe('an address', () => {
  it('leads to the place it was made from', () => {
    const routes: Route[] = [
      { view: 'channel', channelId: 'a.b|c', threadId: null },
      { view: 'channel', channelId: 'c', threadId: 'm1' },
      { view: 'direct', agentId: 'ada@home' },
      { view: 'browse' },
      { view: 'operations' },
      { view: 'home' },
    ];
    for (const route of routes) expect(parseRoute(hashOf(route))).toEqual(route);
  });

  it('that means nothing leads home', () => {
    for (const hash of ['', '#', '#/nowhere', '#/channel', '#/%E0%A4%A']) {
      expect(parseRoute(hash)).toEqual({ view: 'home' });
    }
  });
});

describe('the quick switcher', () => {
  it('names beginnings first, then what is unread', () => {
    const place = (name: string, unread = 0) => ({
      kind: 'channel' as const,
      id: name,
      name,
      unread,
    });
    const all = [place('the-release'), place('reading'), place('release', 3), place('other')];
    expect(rankDestinations(all, '#re', 9).map(({ name }) => name)).toEqual([
      ...['release', 'reading', 'the-release'],
    ]);
    expect(rankDestinations(all, 're', 1)).toHaveLength(1);
  });
});

describe('the search', () => {
  it('finds messages that hold every word, newest first, and none that were deleted', () => {
    const messages = [
      messageOf(1, { content: 'The cache is slow' }),
      messageOf(2, { content: 'slow, but not the Cache', senderId: 'ada' }),
      messageOf(3, { content: 'slow cache', deletedAt: 9 }),
    ];
    const page = { messages, happenings: [], head: 3, hasMore: false };
    const timeline = addPage(emptyTimeline(), page, 'newest', 100);
    expect(searchTimeline(timeline, 'cache SLOW', 9).map(({ seq }) => seq)).toEqual([2, 1]);
    expect(searchTimeline(timeline, 'ada slow', 9).map(({ seq }) => seq)).toEqual([2]);
    expect(searchTimeline(timeline, '  ', 9)).toEqual([]);
  });
});
