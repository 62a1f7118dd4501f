import { expect, it } from '@jest/globals';
import type { InboxItem } from '@openclaw/protocol';
import type { CallMethod } from './calls.ts';
import { createInbox } from './inbox.ts';

// The fault: a loop over an inbox got no count of the items that had fallen out of the full inbox.
it('says what the hub left out before the item', async () => {
  const nothing = { count: 0, channels: [], after: null };
  const fallen = { count: 3, channels: [{ channelId: 'c', count: 3 }], after: 'start' };
  const itemAt = (cursor: string) => ({ cursor }) as InboxItem;
  const pages = [
    { items: [itemAt('4'), itemAt('5')], omitted: fallen, cursor: '5', hasMore: true },
    { items: [itemAt('6')], omitted: nothing, cursor: '6', hasMore: false },
  ];
  const inbox = createInbox((async () => pages.shift()) as unknown as CallMethod);
  const found = [inbox.omitted];
  for await (const { cursor } of inbox) {
    found.push(inbox.omitted);
    if (cursor === '6') break;
  }
  expect(found).toEqual([nothing, fallen, fallen, nothing]);
});
