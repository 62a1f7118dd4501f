import { describe, expect, it } from '@jest/globals';
import { rankDestinations, type Destination } from './destinations.ts';

describe('the quick switcher', () => {
  it('lists names that begin with the query first, then unread ones', () => {
    const channel = (name: string, unread = 0): Destination => ({
      kind: 'channel',
      id: name,
      name,
      unread,
    });
    const all = ['the-release', 'reading', 'other'].map((name) => channel(name));
    all.push(channel('release', 3));
    expect(rankDestinations(all, '#re', 9).map(({ name }) => name)).toEqual([
      ...['release', 'reading', 'the-release'],
    ]);
    expect(rankDestinations(all, 're', 1)).toHaveLength(1);
  });
});
