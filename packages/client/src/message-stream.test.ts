import { describe, expect, it } from '@jest/globals';
import type { CallMethod } from './calls.ts';
import { HubError } from './errors.ts';
import { createGrowingTexts } from './growing-texts.ts';
import { createMessageStream } from './message-stream.ts';
import type { Envelope, Message } from './index.ts';

const sent = { messageId: 'm1', seq: 1, timestamp: 1, duplicate: false, unreached: [] };

function createHub({ text = '', duplicate = false } = {}) {
  let state = 'streaming';
  const calls: { method: string; params: Record<string, unknown>; atMs: number }[] = [];
  const hub = {
    calls,
    failure: null as HubError | null,
    get text() {
      return text;
    },
    /** A hub loses text when it is killed. */
    lose(to: number, then = 'streaming') {
      text = text.slice(0, to);
      state = then;
    },
    call: (async (method: string, params: Record<string, unknown>) => {
      calls.push({ method, params, atMs: Date.now() });
      await Promise.resolve();
      const { failure } = hub;
      hub.failure = null;
      if (failure) throw failure;
      const conflict = () =>
        new HubError('conflict', 'no', { data: { code: 'conflict', length: text.length, state } });
      if (method === 'message.append') {
        const { from, text: more } = params as { from: number; text: string };
        if (state !== 'streaming' || from > text.length) throw conflict();
        const grown = text.slice(0, from) + more;
        if (!grown.startsWith(text) && !text.startsWith(grown)) throw conflict();
        if (grown.length > text.length) text = grown;
        return { length: text.length };
      }
      const { length, content } = params as { length: number; content?: string };
      if (content === undefined && text.length < length) throw conflict();
      text = content ?? text;
      return { seq: 2 };
    }) as unknown as CallMethod,
  };
  const of = { channelId: 'c', content: '' };
  const stream = createMessageStream(hub.call, of, { ...sent, duplicate });
  const until = async (condition: () => boolean) => {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  return { hub, stream, until };
}

describe('a stream of the client', () => {
  it('sends at most one append each 50 ms, and each character once', async () => {
    const { hub, stream, until } = createHub();
    for (let n = 0; n < 40; n += 1) {
      stream.append(`${n} `);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await until(() => hub.text === stream.text);
    const times = hub.calls.map(({ atMs }) => atMs);
    times.slice(1).forEach((atMs, at) => expect(atMs - times[at]!).toBeGreaterThanOrEqual(49));
    const characters = hub.calls.reduce(
      (sum, { params }) => sum + String(params['text']).length,
      0,
    );
    expect(characters).toBe(stream.text.length);
    await stream.finish();
    expect(hub.calls.at(-1)).toMatchObject({
      method: 'message.finish',
      params: { state: 'complete', length: stream.text.length },
    });
    expect(hub.calls.at(-1)?.params).not.toHaveProperty('content');
  });

  it('sends again what the hub lost, and the whole text at the end if need be', async () => {
    const { hub, stream, until } = createHub();
    stream.append('one two ');
    await until(() => hub.text === 'one two ');
    hub.lose(4);
    stream.append('three ');
    await until(() => hub.text === 'one two three ');
    hub.failure = new HubError('rate_limited', 'wait', { retryAfterMs: 1 });
    stream.append('four ');
    await until(() => hub.text === stream.text);
    hub.lose(2, 'interrupted');
    await stream.finish({ state: 'stopped' });
    expect(hub.text).toBe('one two three four ');
    expect(hub.calls.slice(-2).map(({ params }) => params['content'])).toEqual([
      undefined,
      'one two three four ',
    ]);
  });

  it.each(['one', 'one two', 'two', ''])(
    'ends with its own text (%p) when an earlier process began the message and wrote more',
    async (own) => {
      const { hub, stream, until } = createHub({ text: 'one two three', duplicate: true });
      stream.append(own);
      if (own !== '') await until(() => hub.calls.length === 1);
      await stream.finish();
      expect(hub.text).toBe(own);
    },
  );

  it('keeps its text until finish is answered', async () => {
    const { hub, stream } = createHub();
    stream.append('text');
    hub.failure = new HubError('unavailable', 'away');
    await expect(stream.finish()).rejects.toMatchObject({ code: 'unavailable' });
    await stream.finish();
    expect(hub.text).toBe('text');
  });
});

describe('the texts of messages that grow', () => {
  const message = (content: string, more: object = {}) =>
    ({ id: 'm1', content, state: 'streaming', deletedAt: null, ...more }) as unknown as Message;
  const delta = (from: number, text: string, messageId = 'm1') =>
    ({
      event: {
        type: 'collaboration.event',
        name: 'message.delta',
        payload: { messageId, from, text },
      },
    }) as unknown as Envelope;
  const event = (of: Message) => ({ event: { type: 'channel.message', message: of } }) as Envelope;

  it('follow deltas that overlap, and read the message when some are missing', async () => {
    const seen: string[] = [];
    const reads: number[] = [];
    let stored = 'abcdef';
    const texts = createGrowingTexts(
      ({ content }) => seen.push(content),
      async () => {
        reads.push(Date.now());
        return message(stored);
      },
    );
    texts.onEvent(delta(0, 'unknown'));
    texts.onEvent(event(message('')));
    texts.onEvent(delta(0, 'ab'));
    texts.onEvent(delta(1, 'bc'));
    texts.onEvent(delta(0, 'ab'));
    expect(seen).toEqual(['', 'ab', 'abc']);
    texts.onEvent(delta(8, 'ij'));
    texts.onEvent(delta(5, 'fgh'));
    expect(seen).toHaveLength(3);
    while (seen.at(-1) !== 'abcdefghij') await new Promise((resolve) => setTimeout(resolve, 1));
    expect(reads).toHaveLength(1);
    // The client reads a message at most once a second, so the next gap waits.
    stored = 'abcdefghijkl';
    texts.onEvent(delta(11, 'l'));
    while (seen.at(-1) !== stored) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(reads[1]! - reads[0]!).toBeGreaterThanOrEqual(995);
    texts.onEvent(event(message('the end', { state: 'complete' })));
    expect(seen.at(-1)).toBe('the end');
    texts.onEvent(delta(7, ' late'));
    expect(seen.at(-1)).toBe('the end');
    texts.close();
  });
});
