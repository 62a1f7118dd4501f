import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Envelope } from '@openclaw/protocol';
import { waitFor } from '@openclaw/test-support';
import { createClient } from './client.ts';
import type { HubClient } from './hub-client.ts';
import type { ClientOptions } from './options.ts';
import {
  exampleEnvelope as event,
  startScriptedHub,
  subscribedAt,
  type HubSide,
  type ScriptedHub,
} from './scripted-hub.test.support.ts';

let hub: ScriptedHub;
let client: HubClient;
let seqs: (number | null)[];
let discontinuities: object[];
beforeEach(async () => {
  hub = await startScriptedHub();
});
afterEach(async () => {
  await client.close();
  await hub.stop();
});

function start(options: Partial<ClientOptions> = {}) {
  client = createClient({
    url: hub.url,
    agent: 'ada',
    backoffMinMs: 1,
    backoffMaxMs: 1,
    ...options,
  });
  seqs = [];
  discontinuities = [];
  client.on('event', ({ seq }) => seqs.push(seq));
  client.on('discontinuity', (discontinuity) => discontinuities.push(discontinuity));
}

async function nextLive(welcome: Record<string, unknown> = {}): Promise<HubSide> {
  const side = await hub.nextConnection();
  side.welcome(welcome);
  await client.ready();
  return side;
}

async function startInHall(head: number, options: Partial<ClientOptions> = {}): Promise<HubSide> {
  start(options);
  const subscribed = client.channel('hall').subscribe();
  const side = await nextLive();
  const first = await side.nextCall('subscribe');
  side.answer(first, subscribedAt(first, head));
  await subscribed;
  return side;
}

const unresumed = (head: number) => ({
  topics: [{ channelId: 'hall', head, resumed: false, events: [], presencePushed: true }],
});
const arrived = (count: number) => waitFor(() => seqs.length >= count, { what: `${count} events` });

describe('a subscribed channel', () => {
  it('delivers live events after the head, including ephemeral ones', async () => {
    const side = await startInHall(7);
    expect(side.calls[0]?.params).toEqual({
      topics: [{ channelId: 'hall', since: null }],
      epoch: null,
    });
    side.notify('event', event('hall', 8));
    side.notify('event', event('hall', null));
    side.send(
      [9, 10].map((seq) => ({ jsonrpc: '2.0', method: 'event', params: event('hall', seq) })),
    );
    await arrived(4);
    expect(seqs).toEqual([8, null, 9, 10]);
  });

  // At most four logs are read at a time. A read that ended with a malformed page must not count any more.
  it('catches up after any number of malformed pages', async () => {
    let side = await startInHall(7);
    for (let i = 0; i < 6; i += 1) {
      side.terminate();
      side = await nextLive();
      side.answer(await side.nextCall('subscribe'), unresumed(8));
      side.answer(await side.nextCall('log.read'), null);
      await side.closed;
    }
    side = await nextLive();
    side.answer(await side.nextCall('subscribe'), unresumed(8));
    const page = await side.nextCall('log.read');
    side.answer(page, { events: [event('hall', 8)], head: 8, hasMore: false });
    await arrived(1);
  });

  it('continues from the floor after its next events were trimmed', async () => {
    let side = await startInHall(7);
    side.terminate();
    side = await nextLive();
    const [topic] = unresumed(13).topics;
    side.answer(await side.nextCall('subscribe'), { topics: [{ ...topic, floor: 11 }] });
    side.notify('discontinuity', { channelId: 'hall', head: 13, reason: 'trimmed', floor: 11 });
    const page = await side.nextCall('log.read');
    expect(page.params).toMatchObject({ after: 10 });
    const events = [11, 12, 13].map((seq) => event('hall', seq));
    side.answer(page, { events, head: 13, floor: 11, hasMore: false });
    side.notify('event', event('hall', 14));
    await arrived(4);
    expect(seqs).toEqual([11, 12, 13, 14]);
    expect(discontinuities).toEqual([{ channelId: 'hall', head: 10, reason: 'trimmed' }]);
  });

  it('continues from the floor when events are trimmed while they are read', async () => {
    let side = await startInHall(7);
    side.terminate();
    side = await nextLive();
    side.answer(await side.nextCall('subscribe'), unresumed(13));
    const page = await side.nextCall('log.read');
    side.answer(page, { events: [event('hall', 13)], head: 13, floor: 13, hasMore: false });
    await arrived(1);
    expect(seqs).toEqual([13]);
    expect(discontinuities).toEqual([{ channelId: 'hall', head: 12, reason: 'trimmed' }]);
  });

  it('continues after a discontinuity that arrives while it is live', async () => {
    const side = await startInHall(7);
    side.notify('discontinuity', { channelId: 'hall', head: 10, reason: 'trimmed', floor: 11 });
    side.notify('event', event('hall', 11));
    const call = await side.nextCall('subscribe');
    expect(call.params).toMatchObject({ topics: [{ channelId: 'hall', since: 10 }] });
    side.answer(call, subscribedAt(call, 11, [event('hall', 11)]));
    side.notify('event', event('hall', 12));
    await arrived(2);
    expect(seqs).toEqual([11, 12]);
    expect(discontinuities).toEqual([{ channelId: 'hall', head: 10, reason: 'trimmed' }]);
  });

  // The race: the event that removed this agent was trimmed before it arrived, and no later event tells of the removal.
  it('ends after a discontinuity when one of the trimmed events removed the agent', async () => {
    const side = await startInHall(7);
    side.notify('discontinuity', { channelId: 'hall', head: 10, reason: 'trimmed', floor: 11 });
    const topics = [{ channelId: 'hall', error: { code: 'forbidden' } }];
    side.answer(await side.nextCall('subscribe'), { topics });
    await waitFor(() => discontinuities.length === 2, { what: 'the refusal' });
    expect(discontinuities).toEqual([
      { channelId: 'hall', head: 10, reason: 'trimmed' },
      { channelId: 'hall', head: 10, reason: 'forbidden' },
    ]);
  });

  // The race: in a restored backup the agent is no member, so the hub sends no further event.
  it('ends when the hub says in a discontinuity that it has ended', async () => {
    const side = await startInHall(7);
    side.notify('discontinuity', { channelId: 'hall', head: 3, reason: 'epoch' });
    const error = { code: 'forbidden' };
    side.notify('discontinuity', { channelId: 'hall', head: 3, reason: 'epoch', error });
    await waitFor(() => discontinuities.length === 2, { what: 'the end' });
    expect(discontinuities).toEqual([
      { channelId: 'hall', head: 3, reason: 'epoch' },
      { channelId: 'hall', head: 3, reason: 'forbidden' },
    ]);
    expect(side.calls.map(({ method }) => method)).toEqual(['subscribe']);
  });

  it('is subscribed in one call with the other channels of the same turn', async () => {
    start();
    const subscribed = ['a', 'b'].map((id) => client.channel(id).subscribe());
    const side = await nextLive();
    const first = await side.nextCall('subscribe');
    side.answer(first, subscribedAt(first, 3));
    expect(await Promise.all(subscribed)).toEqual([
      { head: 3, presencePushed: true },
      { head: 3, presencePushed: true },
    ]);
    expect(side.calls).toHaveLength(1);
  });

  it('is subscribed before the calls that follow in the same turn', async () => {
    start();
    const side = await nextLive();
    void client
      .channel('hall')
      .subscribe()
      .catch(() => {});
    void client
      .channel('hall')
      .send('Hello')
      .catch(() => {});
    await side.nextCall('message.send');
    expect(side.calls.map(({ method }) => method)).toEqual(['subscribe', 'message.send']);
  });

  it('starts after the given seq', async () => {
    start();
    const subscribed = client.channel('hall').subscribe({ since: 0 });
    const side = await nextLive();
    const call = await side.nextCall('subscribe');
    side.answer(call, subscribedAt(call, 2, [event('hall', 1), event('hall', 2)]));
    await subscribed;
    expect(seqs).toEqual([1, 2]);
    await expect(client.channel('hall').subscribe({ since: 1 })).rejects.toMatchObject({
      code: 'conflict',
    });
  });

  // The race: during the read of a page, more live events arrive than the buffer holds. No event follows them.
  it('fetches the events that did not fit the buffer, even if no event follows', async () => {
    start({ bufferMax: 2 });
    void client.channel('hall').subscribe({ since: 0 });
    const side = await nextLive();
    side.answer(await side.nextCall('subscribe'), unresumed(2));
    const page = await side.nextCall('log.read');
    for (const seq of [3, 4, 5, 6]) side.notify('event', event('hall', seq));
    side.answer(page, { events: [event('hall', 1), event('hall', 2)], head: 6, hasMore: false });
    const again = await side.nextCall('subscribe');
    expect(again.params).toMatchObject({ topics: [{ channelId: 'hall', since: 4 }] });
    side.answer(again, subscribedAt(again, 6, [event('hall', 5), event('hall', 6)]));
    await arrived(6);
    side.notify('event', event('hall', 7));
    await arrived(7);
    expect(seqs).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(side.calls.filter(({ method }) => method === 'subscribe')).toHaveLength(2);
  });

  it('resumes after a lost connection from its last event, in its epoch, before waiting calls go out', async () => {
    const first = await startInHall(7);
    first.notify('event', event('hall', 8));
    await arrived(1);
    first.terminate();
    void client
      .channel('hall')
      .send('waits')
      .catch(() => {});
    const second = await nextLive();
    const resume = await second.nextCall('subscribe');
    await second.nextCall('message.send');
    expect(second.calls.map(({ method }) => method)).toEqual(['subscribe', 'message.send']);
    expect(resume.params).toEqual({ topics: [{ channelId: 'hall', since: 8 }], epoch: 'e1' });
    second.answer(resume, subscribedAt(resume, 10, [event('hall', 9), event('hall', 10)]));
    second.notify('event', event('hall', 11));
    await arrived(4);
    expect(seqs).toEqual([8, 9, 10, 11]);
  });

  it('drops repeated events', async () => {
    const side = await startInHall(7);
    for (const seq of [8, 8, 7, 9]) side.notify('event', event('hall', seq));
    await arrived(2);
    expect(seqs).toEqual([8, 9]);
    expect(client.counters).toEqual({ delivered: 2, repeated: 2, outOfOrder: 0 });
  });

  it('buffers an event after a gap until a subscribe result fills the gap', async () => {
    const side = await startInHall(7);
    side.notify('event', event('hall', 10));
    const call = await side.nextCall('subscribe');
    expect(call.params['topics']).toEqual([{ channelId: 'hall', since: 7 }]);
    expect(seqs).toEqual([]);
    side.notify('event', event('hall', 11));
    side.answer(
      call,
      subscribedAt(
        call,
        10,
        [8, 9, 10].map((seq) => event('hall', seq)),
      ),
    );
    await arrived(4);
    expect(seqs).toEqual([8, 9, 10, 11]);
  });

  it('subscribes again when buffered events follow another gap', async () => {
    const side = await startInHall(7);
    side.notify('event', event('hall', 10));
    const first = await side.nextCall('subscribe');
    side.answer(first, subscribedAt(first, 8, [event('hall', 8)]));
    const second = await side.nextCall('subscribe');
    expect(second.params['topics']).toEqual([{ channelId: 'hall', since: 8 }]);
    side.answer(second, subscribedAt(second, 10, [event('hall', 9), event('hall', 10)]));
    await arrived(3);
    expect(seqs).toEqual([8, 9, 10]);
  });

  it('pages the log when a subscribe cannot resume, while live events wait', async () => {
    const side = await startInHall(7);
    side.notify('event', event('hall', 12));
    side.answer(await side.nextCall('subscribe'), unresumed(12));
    for (const [after, found] of [
      [7, [8, 9]],
      [9, [10, 11, 12]],
    ] as const) {
      const page = await side.nextCall('log.read');
      expect(page.params).toEqual({ channelId: 'hall', after });
      side.notify('event', event('hall', after === 7 ? 13 : 14));
      side.answer(page, {
        events: found.map((seq) => event('hall', seq)),
        head: 12,
        hasMore: false,
      });
    }
    await arrived(7);
    expect(seqs).toEqual([8, 9, 10, 11, 12, 13, 14]);
    expect(discontinuities).toEqual([]);
  });

  // The race: after a reconnect, a client has missed more events than a subscribe returns, and the hub cannot answer
  // the request for the next page.
  it('requests a page again that the hub could not answer', async () => {
    const side = await startInHall(7);
    side.notify('event', event('hall', 9));
    side.answer(await side.nextCall('subscribe'), unresumed(9));
    for (const code of ['rate_limited', 'unavailable'])
      side.refuse(await side.nextCall('log.read'), {
        code: -32_000,
        message: 'Later',
        data: { code, retryAfterMs: 1 },
      });
    const page = await side.nextCall('log.read');
    expect(page.params).toEqual({ channelId: 'hall', after: 7 });
    side.answer(page, { events: [event('hall', 8), event('hall', 9)], head: 9, hasMore: false });
    await arrived(2);
    expect(seqs).toEqual([8, 9]);
    expect(discontinuities).toEqual([]);
  });

  // The race: the events of many channels are too large for one answer, so the hub resumes none of the channels. The
  // client must stay within its limit of unanswered calls.
  it('reads the logs of many channels a few at a time', async () => {
    start();
    const ids = Array.from({ length: 300 }, (_, n) => `c${n}`);
    const subscribed = Promise.all(ids.map((id) => client.channel(id).subscribe()));
    const first = await nextLive();
    const call = await first.nextCall('subscribe');
    first.answer(call, subscribedAt(call, 1));
    await subscribed;
    first.terminate();
    const second = await nextLive();
    const topics = ids.map((channelId) => ({
      channelId,
      head: 2,
      resumed: false,
      events: [],
      presencePushed: true,
    }));
    second.answer(await second.nextCall('subscribe'), { topics });
    let most = 0;
    for (let read = 1; read <= ids.length; read++) {
      const page = await second.nextCall('log.read');
      const asked = second.calls.filter(({ method }) => method === 'log.read').length;
      most = Math.max(most, asked - read + 1);
      const channelId = String(page.params['channelId']);
      second.answer(page, { events: [event(channelId, 2)], head: 2, hasMore: false });
    }
    await arrived(ids.length);
    expect(most).toBeLessThanOrEqual(4);
    expect(discontinuities).toEqual([]);
  });

  it('reports a discontinuity when too much was missed, and is live from the head', async () => {
    const first = await startInHall(7, { catchUpMax: 100 });
    first.terminate();
    const second = await nextLive();
    second.answer(await second.nextCall('subscribe'), unresumed(108));
    second.notify('event', event('hall', 109));
    await arrived(1);
    expect(discontinuities).toEqual([{ channelId: 'hall', head: 108, reason: 'behind' }]);
    expect(seqs).toEqual([109]);
  });

  // After a restore the seqs start again. The next events must not be dropped as old.
  it('reports a discontinuity when the epoch changed, and continues in the new epoch', async () => {
    const first = await startInHall(7);
    first.terminate();
    const second = await nextLive({ epoch: 'e2' });
    const resume = await second.nextCall('subscribe');
    expect(resume.params['epoch']).toBe('e1');
    second.answer(resume, unresumed(3));
    second.notify('event', event('hall', 4, { epoch: 'e2' }));
    second.notify('event', event('hall', 5, { epoch: 'e2' }));
    await arrived(2);
    expect(discontinuities).toEqual([{ channelId: 'hall', head: 3, reason: 'epoch' }]);
    expect(seqs).toEqual([4, 5]);
  });

  it('handles the hub’s discontinuity: continues from the head after `epoch`, reads the log after `behind`', async () => {
    const side = await startInHall(7);
    side.notify('discontinuity', { channelId: 'hall', head: 2, reason: 'epoch' });
    side.notify('event', event('hall', 3, { epoch: 'e2' }));
    await arrived(1);
    side.notify('discontinuity', { channelId: 'hall', head: 5, reason: 'behind' });
    const page = await side.nextCall('log.read');
    expect(page.params['after']).toBe(3);
    side.answer(page, {
      events: [4, 5].map((seq) => event('hall', seq, { epoch: 'e2' })),
      head: 5,
      hasMore: false,
    });
    await arrived(3);
    expect(seqs).toEqual([3, 4, 5]);
    expect(discontinuities).toEqual([{ channelId: 'hall', head: 2, reason: 'epoch' }]);
  });

  it('rejects when its first subscribe is refused, and ends with a discontinuity when a resume is refused', async () => {
    start();
    const refused = client.channel('hall').subscribe();
    const side = await nextLive();
    const error = { code: 'forbidden' };
    side.answer(await side.nextCall('subscribe'), { topics: [{ channelId: 'hall', error }] });
    await expect(refused).rejects.toMatchObject({ code: 'forbidden' });
    expect(discontinuities).toEqual([]);

    const again = client.channel('hall').subscribe();
    const call = await side.nextCall('subscribe');
    side.answer(call, subscribedAt(call, 1));
    await again;
    side.terminate();
    const second = await nextLive();
    second.answer(await second.nextCall('subscribe'), { topics: [{ channelId: 'hall', error }] });
    await waitFor(() => discontinuities.length > 0);
    expect(discontinuities).toEqual([{ channelId: 'hall', head: 1, reason: 'forbidden' }]);
  });

  it('is subscribed again when the hub could not answer', async () => {
    start();
    const subscribed = client.channel('hall').subscribe();
    const side = await nextLive();
    side.refuse(await side.nextCall('subscribe'), {
      code: -32_000,
      message: 'Database away',
      data: { code: 'unavailable', retryAfterMs: 5 },
    });
    const call = await side.nextCall('subscribe');
    side.answer(call, subscribedAt(call, 4));
    expect(await subscribed).toMatchObject({ head: 4 });
  });

  it('delivers nothing after unsubscribe', async () => {
    const side = await startInHall(7);
    await Promise.all([
      client.channel('hall').unsubscribe(),
      side.nextCall('unsubscribe').then((call) => side.answer(call, {})),
    ]);
    side.notify('event', event('hall', 8));
    side.notify('event', event(null, null, { type: 'collaboration.event' }));
    await arrived(1);
    expect(seqs).toEqual([null]);
  });
});

describe('a subscribe that is aborted', () => {
  it('rejects with its signal’s reason, and leaves nothing subscribed', async () => {
    start();
    const reason = new Error('enough');
    const controller = new AbortController();
    const { signal } = controller;
    const given = client.channel('hall').subscribe({ signal });
    const side = await nextLive();
    const call = await side.nextCall('subscribe');
    controller.abort(reason);
    await expect(given).rejects.toBe(reason);
    expect((await side.nextCall('unsubscribe')).params).toEqual({ channelIds: ['hall'] });
    side.answer(call, subscribedAt(call, 4));
    side.notify('event', event('hall', 5));
    side.notify('event', event(null, null, { type: 'collaboration.event' }));
    await arrived(1);
    expect(seqs).toEqual([null]);
    await expect(client.channel('hall').subscribe({ signal })).rejects.toBe(reason);
  });

  it('keeps the subscription for other callers that wait for it', async () => {
    start();
    const controller = new AbortController();
    const given = client.channel('hall').subscribe({ signal: controller.signal });
    const kept = client.channel('hall').subscribe();
    const side = await nextLive();
    const call = await side.nextCall('subscribe');
    controller.abort();
    await expect(given).rejects.toMatchObject({ name: 'AbortError' });
    side.answer(call, subscribedAt(call, 4));
    expect(await kept).toMatchObject({ head: 4 });
  });

  it('is refused by a closed client, as is a stream', async () => {
    start();
    await client.close();
    await expect(client.channel('hall').subscribe()).rejects.toMatchObject({ code: 'closed' });
    expect(() => client.channel('hall').events()).toThrow('closed');
    expect(() => client.direct('bob').events()).toThrow('closed');
  });
});

describe('direct channels', () => {
  it('are live from the heads in the welcome, and resume like other channels', async () => {
    start();
    const first = await nextLive({ direct: [{ channelId: 'dm_1', head: 4 }] });
    first.notify('event', event('dm_1', 5));
    // This direct channel was created after the welcome.
    first.notify('event', event('dm_2', 1));
    await arrived(2);
    first.terminate();
    const direct = ['dm_1', 'dm_2', 'dm_3'].map((channelId) => ({ channelId, head: 6 }));
    const second = await nextLive({ direct });
    const resume = await second.nextCall('subscribe');
    expect(resume.params).toEqual({
      // dm_3 was in no earlier list, so it is read from its beginning.
      topics: [
        { channelId: 'dm_1', since: 5 },
        { channelId: 'dm_2', since: 1 },
        { channelId: 'dm_3', since: 0 },
      ],
      epoch: 'e1',
    });
  });

  it('are not subscribed again if they missed nothing', async () => {
    start();
    const direct = [{ channelId: 'dm_1', head: 4 }];
    const first = await nextLive({ direct });
    first.terminate();
    const second = await nextLive({ direct });
    second.notify('event', event('dm_1', 5));
    await arrived(1);
    expect(second.calls).toEqual([]);
  });

  const full = Array.from({ length: 200 }, (_, n) => ({ channelId: `dm_named${n}`, head: 1 }));

  // The race: while the client is disconnected, messages arrive in direct channels that are not among the 200 that the
  // hub names.
  it('start with their first event if no welcome named them, and report a discontinuity after a reconnect', async () => {
    start();
    const first = await nextLive({ direct: full });
    first.notify('event', event('dm_old', 7));
    await arrived(1);
    expect(discontinuities).toEqual([]);
    first.terminate();
    const second = await nextLive({ direct: full });
    const resume = await second.nextCall('subscribe');
    expect(resume.params['topics']).toEqual([{ channelId: 'dm_old', since: 7 }]);
    second.answer(resume, subscribedAt(resume, 8, [event('dm_old', 8)]));
    second.notify('event', event('dm_older', 5));
    second.notify('event', event('dm_older', 6));
    second.notify('event', event('dm_new', 1));
    await arrived(5);
    expect(seqs).toEqual([7, 8, 5, 6, 1]);
    expect(discontinuities).toEqual([{ channelId: 'dm_older', head: 4, reason: 'behind' }]);
  });

  // The race: a client knows all its direct channels. While it is disconnected, more direct channels are created than
  // the next welcome can name.
  it('are read from their beginning if they are new since a complete list', async () => {
    start();
    const first = await nextLive({ direct: [] });
    first.terminate();
    const second = await nextLive({ direct: full });
    const named = await second.nextCall('subscribe');
    second.answer(named, subscribedAt(named, 0));
    second.notify('event', event('dm_unnamed', 3));
    const call = await second.nextCall('subscribe');
    expect(call.params['topics']).toEqual([{ channelId: 'dm_unnamed', since: 0 }]);
    second.answer(
      call,
      subscribedAt(
        call,
        3,
        [1, 2, 3].map((seq) => event('dm_unnamed', seq)),
      ),
    );
    await arrived(3);
    expect(seqs).toEqual([1, 2, 3]);
    expect(discontinuities).toEqual([]);
  });

  it('report the hub’s discontinuity even before their first event', async () => {
    start();
    const side = await nextLive({ direct: full });
    side.notify('discontinuity', { channelId: 'dm_old', head: 4, reason: 'epoch' });
    side.notify('event', event('dm_old', 5, { epoch: 'e2' }));
    await arrived(1);
    expect(seqs).toEqual([5]);
    expect(discontinuities).toEqual([{ channelId: 'dm_old', head: 4, reason: 'epoch' }]);
  });

  it('deliver typing before their first message', async () => {
    start();
    const side = await nextLive({ direct: full });
    side.notify('event', event('dm_old', null));
    side.notify('event', event('dm_old', 5));
    await arrived(2);
    expect(seqs).toEqual([null, 5]);
  });

  // The race: an event is in flight when the client unsubscribes, and the hub subscribes direct channels again on
  // reconnect.
  it('stay unsubscribed, also on the next connection', async () => {
    start();
    const direct = [{ channelId: 'dm_1', head: 4 }];
    const first = await nextLive({ direct });
    const left = client.channel('dm_1').unsubscribe();
    first.answer(await first.nextCall('unsubscribe'), {});
    await left;
    first.notify('event', event('dm_1', 5));
    first.terminate();
    const second = await nextLive({ direct: [{ channelId: 'dm_1', head: 6 }] });
    expect((await second.nextCall('unsubscribe')).params).toEqual({ channelIds: ['dm_1'] });
    second.notify('event', event('dm_1', 7));
    second.notify('event', event(null, null, { type: 'collaboration.event' }));
    await arrived(1);
    expect(seqs).toEqual([null]);
    const again = client.channel('dm_1').subscribe();
    const call = await second.nextCall('subscribe');
    second.answer(call, subscribedAt(call, 7));
    await again;
    second.notify('event', event('dm_1', 8));
    await arrived(2);
    expect(seqs).toEqual([null, 8]);
  });
});

describe('channel.events()', () => {
  it('yields each durable event once and in order over a reconnect, and unsubscribes when left', async () => {
    start();
    const events = client.channel('hall').events({ since: 0 });
    const first = await nextLive();
    const call = await first.nextCall('subscribe');
    first.answer(call, subscribedAt(call, 2, [event('hall', 1), event('hall', 2)]));
    const read: Envelope[] = [];
    for await (const envelope of events) {
      read.push(envelope);
      if (envelope.seq === 2) {
        first.terminate();
        const second = await nextLive();
        const resume = await second.nextCall('subscribe');
        second.answer(resume, subscribedAt(resume, 3, [event('hall', 3)]));
        second.notify('event', event('hall', 3));
        second.notify('event', event('hall', 4));
        void second.nextCall('unsubscribe').then((left) => second.answer(left, {}));
      }
      if (envelope.seq === 4) break;
    }
    expect(read.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  });

  it('ends when this agent leaves the channel, after the event that says so', async () => {
    start();
    const events = client.channel('hall').events();
    const side = await nextLive();
    const first = await side.nextCall('subscribe');
    side.answer(first, subscribedAt(first, 0));
    const leave = (agentId: string) => ({
      type: 'channel.member.leave' as const,
      event: { member: { agentId } },
    });
    side.notify('event', event('hall', 1, leave('bob')));
    side.notify('event', event('hall', 2, leave('ada')));
    side.notify('event', event('hall', 3));
    const read = [];
    for await (const { seq } of events) read.push(seq);
    expect(read).toEqual([1, 2]);
  });

  // The race: the agent is removed and added again while its client is disconnected. The head in the answer to the
  // subscribe is later than the leave, so the leave is outdated.
  it('continues for an agent that was removed and added again while it was away', async () => {
    start();
    const events = client.channel('hall').events();
    const first = await nextLive();
    const call = await first.nextCall('subscribe');
    first.answer(call, subscribedAt(call, 0));
    first.notify('event', event('hall', 1));
    await arrived(1);
    first.terminate();
    const second = await nextLive();
    const resume = await second.nextCall('subscribe');
    const own = { event: { member: { agentId: 'ada' } } };
    second.answer(
      resume,
      subscribedAt(resume, 4, [
        event('hall', 2, { type: 'channel.member.leave', ...own }),
        event('hall', 3),
        event('hall', 4, { type: 'channel.member.join', ...own }),
      ]),
    );
    second.notify('event', event('hall', 5));
    second.notify('event', event('hall', 6, { type: 'channel.member.leave', ...own }));
    const read = [];
    for await (const { seq } of events) read.push(seq);
    expect(read).toEqual([1, 2, 3, 4, 5, 6]);
    expect(discontinuities).toEqual([]);
  });

  it('continues for such an agent when the log has to be paged', async () => {
    const first = await startInHall(0);
    const events = client.channel('hall').events();
    first.terminate();
    const second = await nextLive();
    second.answer(await second.nextCall('subscribe'), unresumed(3));
    const own = { event: { member: { agentId: 'ada' } } };
    second.answer(await second.nextCall('log.read'), {
      events: [
        event('hall', 1, { type: 'channel.member.leave', ...own }),
        event('hall', 2, { type: 'channel.member.join', ...own }),
        event('hall', 3),
      ],
      head: 3,
      hasMore: false,
    });
    second.notify('event', event('hall', 4, { type: 'channel.member.leave', ...own }));
    const read = [];
    for await (const { seq } of events) read.push(seq);
    expect(read).toEqual([1, 2, 3, 4]);
  });

  it('ends at a leave in a new epoch, even if the old head was higher', async () => {
    const side = await startInHall(7);
    const events = client.channel('hall').events();
    side.notify('discontinuity', { channelId: 'hall', head: 2, reason: 'epoch' });
    const own = { event: { member: { agentId: 'ada' } }, epoch: 'e2' };
    side.notify('event', event('hall', 3, { type: 'channel.member.leave', ...own }));
    const read = [];
    for await (const { seq } of events) read.push(seq);
    expect(read).toEqual([3]);
  });

  it('ends with its signal’s reason, and with the client', async () => {
    start();
    const reason = new Error('enough');
    const controller = new AbortController();
    const aborted = client.channel('hall').events({ signal: controller.signal }).next();
    const closed = client.channel('hall').events().next();
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    const rejection = expect(closed).rejects.toMatchObject({ code: 'closed' });
    await client.close();
    await rejection;
  });
});
