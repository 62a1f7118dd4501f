import { describe, expect, it } from '@jest/globals';
import { channelRoute, hashOf, parseRoute, type Route } from './route.ts';

describe('the hash of an address', () => {
  it('is parsed to the route it was made from', () => {
    const routes: Route[] = [
      channelRoute('a.b|c'),
      channelRoute('c', 'm1'),
      channelRoute('c', null, 12),
      channelRoute('c', 'm1', 13),
      { view: 'direct', agentId: 'ada@home' },
      { view: 'agent', agentId: 'ada@home' },
      { view: 'browse' },
      { view: 'fleet' },
      { view: 'operations' },
      { view: 'home' },
    ];
    for (const route of routes) expect(parseRoute(hashOf(route))).toEqual(route);
  });

  it('is home when it is unknown', () => {
    for (const hash of ['', '#', '#/nowhere', '#/channel', '#/%E0%A4%A']) {
      expect(parseRoute(hash)).toEqual({ view: 'home' });
    }
  });
});
