import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Chat } from './chat.ts';
import { createViewReader } from './view-loader.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

/** A reader whose readings end when the test says so. */
function createCase() {
  const chat = { followed: Promise.resolve() } as Chat;
  const readings: PromiseWithResolvers<void>[] = [];
  const views = createViewReader(() => {
    const reading = Promise.withResolvers<void>();
    readings.push(reading);
    return reading.promise;
  });
  return { chat, views, readings };
}

const turn = () => jest.advanceTimersByTimeAsync(0);

describe('a channel’s view', () => {
  it('is read once, however often it is opened', async () => {
    const { chat, views, readings } = createCase();
    const both = Promise.all([views.open(chat), views.open(chat)]);
    await turn();
    readings[0]?.resolve();
    await both;
    await views.open(chat);
    expect(readings).toHaveLength(1);
  });

  it('that could not be read is tried again until it is, or nobody wants it', async () => {
    const { chat, views, readings } = createCase();
    const opening = views.open(chat);
    await turn();
    readings[0]?.reject(new Error('away'));
    await expect(opening).rejects.toThrow('away');
    await jest.advanceTimersByTimeAsync(3_000);
    readings[1]?.reject(new Error('still away'));
    await jest.advanceTimersByTimeAsync(3_000);
    readings[2]?.resolve();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(readings).toHaveLength(3);
    void views.again(chat).catch(() => undefined);
    views.forget(chat);
    readings[3]?.reject(new Error('gone'));
    await jest.advanceTimersByTimeAsync(60_000);
    expect(readings).toHaveLength(4);
  });

  // The race: something is skipped while the view is being read, by a question that may be older. Invariant: what is
  // shown in the end was asked for after it.
  it('is read once more when it went out of date meanwhile', async () => {
    const { chat, views, readings } = createCase();
    const opening = views.open(chat);
    await turn();
    const again = views.again(chat);
    readings[0]?.resolve();
    await turn();
    expect(readings).toHaveLength(2);
    readings[1]?.resolve();
    await Promise.all([opening, again]);
    expect(readings).toHaveLength(2);
  });

  it('is not read again when it never was', async () => {
    const { chat, views, readings } = createCase();
    await views.again(chat);
    expect(readings).toEqual([]);
  });
});
