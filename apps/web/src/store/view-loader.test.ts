import { describe, expect, it } from '@jest/globals';
import { channelOf } from '../testing/events.ts';
import { useFakeTimers } from '../testing/fixtures.ts';
import { createChat } from './chat.ts';
import { createViewLoader } from './view-loader.ts';

function createFixture() {
  const timers = useFakeTimers();
  const loads: PromiseWithResolvers<void>[] = [];
  const views = createViewLoader(() => {
    const load = Promise.withResolvers<void>();
    loads.push(load);
    return load.promise;
  });
  return { ...timers, loads, views, chat: createChat(channelOf('c'), 'ada') };
}

describe('the view of a channel', () => {
  it('is loaded once, however often it is opened', async () => {
    using fixture = createFixture();
    const { chat, views, loads } = fixture;
    const both = Promise.all([views.open(chat), views.open(chat)]);
    await fixture.settle();
    loads[0]?.resolve();
    await both;
    await views.open(chat);
    expect(loads).toHaveLength(1);
  });

  it('is loaded again after a failure, until it succeeds or is closed', async () => {
    using fixture = createFixture();
    const { chat, views, loads } = fixture;
    const opening = views.open(chat);
    await fixture.settle();
    loads[0]?.reject(new Error('away'));
    await expect(opening).rejects.toThrow('away');
    await fixture.advance(3_000);
    loads[1]?.reject(new Error('still away'));
    await fixture.advance(3_000);
    loads[2]?.resolve();
    await fixture.advance(60_000);
    expect(loads).toHaveLength(3);
    void views.reload(chat).catch(() => undefined);
    views.forget(chat);
    loads[3]?.reject(new Error('gone'));
    await fixture.advance(60_000);
    expect(loads).toHaveLength(4);
  });

  // The race: events are skipped during a load, which may have read older data. Invariant: the last load begins after
  // the skip.
  it('is loaded again when it becomes outdated during a load', async () => {
    using fixture = createFixture();
    const { chat, views, loads } = fixture;
    const opening = views.open(chat);
    await fixture.settle();
    const reloading = views.reload(chat);
    loads[0]?.resolve();
    await fixture.settle();
    expect(loads).toHaveLength(2);
    loads[1]?.resolve();
    await Promise.all([opening, reloading]);
    expect(loads).toHaveLength(2);
  });

  it('is not reloaded before it was opened', async () => {
    using fixture = createFixture();
    await fixture.views.reload(fixture.chat);
    expect(fixture.loads).toEqual([]);
  });
});
