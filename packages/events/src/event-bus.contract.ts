import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Topic } from '@openclaw/key-schema';
import type { EncodedEnvelope } from '@openclaw/protocol';
import { waitFor } from '@openclaw/test-support';
import type { EventBus, EventHandler, PublishTargets } from './event-bus.ts';
import { sampleBroadcast, sampleMessage, sampleTyping } from './testing/sample-events.ts';

/** `publisher` and `subscriber` are the same bus, or the buses of two processes. */
export interface EventBusBench {
  readonly publisher: EventBus;
  readonly subscriber: EventBus;
  close(): Promise<void>;
}

function recorder() {
  const events: EncodedEnvelope[] = [];
  const topics: Topic[] = [];
  const handler: EventHandler = (event, topic) => {
    events.push(event);
    topics.push(topic);
  };
  const has = (event: EncodedEnvelope) => events.some(({ id }) => id === event.id);
  return {
    events,
    topics,
    handler,
    /**
     * Resolves when the event arrived. Events of a topic stay in order, so every earlier event has also arrived or is
     * lost.
     */
    until: (event: EncodedEnvelope) => waitFor(() => has(event), { what: `event ${event.id}` }),
  };
}

export function eventBusContract(title: string, create: () => Promise<EventBusBench>): void {
  describe(title, () => {
    let bench: EventBusBench;
    let publisher: EventBus;
    let subscriber: EventBus;
    beforeEach(async () => {
      bench = await create();
      ({ publisher, subscriber } = bench);
    });
    afterEach(() => bench.close());

    const marker = () => sampleMessage({ content: 'the end' });

    it('Pub/Sub publish/subscribe: a channel’s event reaches its subscribers unchanged, with its topic', async () => {
      const seen = recorder();
      await subscriber.subscribeChannel('general', seen.handler);
      const event = sampleMessage({ content: 'Hello world! 🚀 "quoted" \\ \n' });
      await publisher.publish(event, { channel: true });
      await seen.until(event);
      expect(seen.events).toEqual([event]);
      expect(seen.topics).toEqual([{ kind: 'channel', channelId: 'general' }]);
    });

    it('Pub/Sub publish/subscribe: keeps the order of one publisher', async () => {
      const seen = recorder();
      await subscriber.subscribeChannel('general', seen.handler);
      const events = Array.from({ length: 300 }, (_, index) => sampleMessage({ seq: index + 1 }));
      await Promise.all(events.map((event) => publisher.publish(event, { channel: true })));
      await waitFor(() => seen.events.length >= events.length);
      expect(seen.events).toEqual(events);
    });

    it('delivers to channel, agent and global subscribers only the events of their topic', async () => {
      const general = recorder();
      const random = recorder();
      const agent = recorder();
      const everyone = recorder();
      await subscriber.subscribeChannel('general', general.handler);
      await subscriber.subscribeChannel('random', random.handler);
      await subscriber.subscribeAgent('tech-lead', agent.handler);
      await subscriber.subscribeGlobal(everyone.handler);

      const [message, notice, broadcast] = [sampleMessage(), sampleMessage(), sampleBroadcast()];
      const typing = sampleTyping();
      const toRandom = sampleMessage({ channelId: 'random' });
      await publisher.publish(message, { channel: true });
      await publisher.publish(typing, { channel: true });
      await publisher.publish(notice, { agents: ['tech-lead', 'nobody'] });
      await publisher.publish(broadcast, { global: true });
      await publisher.publish(toRandom, { channel: true });
      await random.until(toRandom);

      expect(general.events).toEqual([message, typing]);
      expect(agent.events).toEqual([notice]);
      expect(agent.topics).toEqual([{ kind: 'agent', agentId: 'tech-lead' }]);
      expect(everyone.events).toEqual([broadcast]);
      expect(everyone.topics).toEqual([{ kind: 'global' }]);
      expect(random.events).toEqual([toRandom]);
    });

    it('Pattern subscriptions (pubsub:channel:*): deliver the events of all channels and no others', async () => {
      const seen = recorder();
      await subscriber.subscribeAllChannels(seen.handler);
      const last = marker();
      await publisher.publish(sampleMessage({ channelId: 'general' }), { channel: true });
      await publisher.publish(sampleMessage({ channelId: 'random' }), { agents: ['tech-lead'] });
      await publisher.publish(sampleBroadcast(), { global: true });
      await publisher.publish(sampleMessage({ channelId: 'random' }), { channel: true });
      await publisher.publish(last, { channel: true });
      await seen.until(last);
      expect(seen.topics).toEqual(
        ['general', 'random', 'general'].map((channelId) => ({ kind: 'channel', channelId })),
      );
    });

    it('Pattern subscriptions (pubsub:channel:*): do not repeat events for a channel’s own subscription', async () => {
      const all = recorder();
      const one = recorder();
      await subscriber.subscribeAllChannels(all.handler);
      await subscriber.subscribeChannel('general', one.handler);
      const [event, last] = [sampleMessage(), marker()];
      await publisher.publish(event, { channel: true });
      await publisher.publish(last, { channel: true });
      await all.until(last);
      await one.until(last);
      expect(all.events).toEqual([event, last]);
      expect(one.events).toEqual([event, last]);
    });

    it('delivers an event that is published on several topics once per topic, with the same bytes', async () => {
      const seen = recorder();
      await subscriber.subscribeChannel('general', seen.handler);
      await subscriber.subscribeAgent('tech-lead', seen.handler);
      await subscriber.subscribeAgent('backend-architect', seen.handler);
      await subscriber.subscribeGlobal(seen.handler);
      const [event, last] = [sampleMessage(), sampleBroadcast()];
      const agents = ['tech-lead', 'backend-architect', 'tech-lead'];
      await publisher.publish(event, { channel: true, agents, global: true });
      await publisher.publish(last, { global: true });
      await seen.until(last);
      expect(
        seen.topics
          .slice(0, -1)
          .map((topic) => JSON.stringify(topic))
          .sort(),
      ).toEqual([
        '{"kind":"agent","agentId":"backend-architect"}',
        '{"kind":"agent","agentId":"tech-lead"}',
        '{"kind":"channel","channelId":"general"}',
        '{"kind":"global"}',
      ]);
      expect(new Set(seen.events.slice(0, -1).map(({ json }) => json))).toEqual(
        new Set([event.json]),
      );
    });

    it('ends only the subscription that is unsubscribed, even if its function is subscribed twice', async () => {
      const seen = recorder();
      const other = recorder();
      const unsubscribe = await subscriber.subscribeChannel('general', seen.handler);
      await subscriber.subscribeChannel('general', seen.handler);
      await subscriber.subscribeChannel('general', other.handler);
      const [first, second, last] = [sampleMessage(), sampleMessage(), marker()];
      await publisher.publish(first, { channel: true });
      await other.until(first);
      expect(seen.events).toEqual([first, first]);

      await unsubscribe();
      await unsubscribe();
      await publisher.publish(second, { channel: true });
      await publisher.publish(last, { channel: true });
      await other.until(last);
      expect(seen.events).toEqual([first, first, second, last]);
    });

    it('delivers nothing after a topic’s last handler is removed, and delivers again after the next subscribes', async () => {
      const seen = recorder();
      const everyone = recorder();
      await subscriber.subscribeGlobal(everyone.handler);
      const unsubscribe = await subscriber.subscribeChannel('general', seen.handler);
      await unsubscribe();
      const [missed, broadcast, event] = [sampleMessage(), sampleBroadcast(), sampleMessage()];
      await publisher.publish(missed, { channel: true });
      await publisher.publish(broadcast, { global: true });
      await everyone.until(broadcast);
      await subscriber.subscribeChannel('general', seen.handler);
      await publisher.publish(event, { channel: true });
      await seen.until(event);
      expect(seen.events).toEqual([event]);
    });

    it('loses no subscription when one ends while the next begins', async () => {
      const seen = recorder();
      for (let turn = 0; turn < 20; turn += 1) {
        const unsubscribe = await subscriber.subscribeChannel('general', () => {});
        const ending = unsubscribe();
        const ended = subscriber.subscribeChannel('general', seen.handler);
        await ending;
        const end = await ended;
        const event = marker();
        await publisher.publish(event, { channel: true });
        await seen.until(event);
        await end();
      }
      expect(seen.events).toHaveLength(20);
    });

    it('keeps no state of 1,000 topics that were subscribed and unsubscribed', async () => {
      const ids = Array.from({ length: 1_000 }, (_, index) => `channel-${index}`);
      const ends = await Promise.all(ids.map((id) => subscriber.subscribeChannel(id, () => {})));
      expect(subscriber.stats.topics).toBe(1_000);
      await Promise.all(ends.map((end) => end()));
      expect(subscriber.stats.topics).toBe(0);
    });

    it('calls the other handlers when one throws or rejects, and counts the error', async () => {
      const seen = recorder();
      await subscriber.subscribeChannel('general', () => {
        throw new Error('broken');
      });
      const asynchronous: unknown = async () => {
        throw new Error('broken later');
      };
      await subscriber.subscribeChannel('general', asynchronous as EventHandler);
      await subscriber.subscribeChannel('general', seen.handler);
      const event = sampleMessage();
      await publisher.publish(event, { channel: true });
      await seen.until(event);
      await waitFor(() => subscriber.stats.handlerErrors === 2);
    });

    it('does not call a handler that was removed or added during the same event', async () => {
      const seen: string[] = [];
      const late = recorder();
      let removeSecond = async () => {};
      await subscriber.subscribeChannel('general', () => {
        seen.push('first');
        void removeSecond();
        if (seen.length === 1) void subscriber.subscribeChannel('general', late.handler);
      });
      removeSecond = await subscriber.subscribeChannel('general', () => seen.push('second'));
      const [event, last] = [sampleMessage(), marker()];
      await publisher.publish(event, { channel: true });
      await publisher.publish(last, { channel: true });
      await late.until(last);
      expect(seen).toEqual(['first', 'first']);
      expect(late.events).toEqual([last]);
    });

    it('numbers a channel’s events from 1, above every published seq, and never lower again', async () => {
      expect(await publisher.nextSeq('general')).toBe(1);
      expect(await publisher.nextSeq('general')).toBe(2);
      await publisher.publish(sampleMessage({ seq: 40 }), { channel: true });
      await publisher.publish(sampleMessage({ seq: 7 }), { channel: true });
      await publisher.publish(sampleTyping(), { channel: true });
      expect(await publisher.nextSeq('general')).toBe(41);
      expect(await publisher.nextSeq('random')).toBe(1);
    });

    it('numbers above the seq of a direct message, which is published only on agents’ topics', async () => {
      await publisher.publish(sampleMessage({ channelId: 'dm_1', seq: 5 }), {
        agents: ['tech-lead'],
      });
      expect(await publisher.nextSeq('dm_1')).toBe(6);
    });

    it('rejects an event that cannot be published, without calling a handler', async () => {
      const seen = recorder();
      await subscriber.subscribeAgent('tech-lead', seen.handler);
      const badId = sampleMessage({ channelId: 'a:b' });
      const refused = expect.objectContaining({ name: 'EventsError', code: 'invalid_event' });
      await expect(publisher.publish(sampleBroadcast(), { channel: true })).rejects.toEqual(
        refused,
      );
      await expect(publisher.publish(badId, { agents: ['tech-lead'] })).rejects.toEqual(refused);
      const agents = ['tech-lead', 'a:b'];
      await expect(publisher.publish(sampleMessage(), { agents })).rejects.toEqual(refused);
      expect(publisher.stats).toMatchObject({ failed: 3, published: 0 });
      const last = marker();
      await publisher.publish(last, { agents: ['tech-lead'] });
      await seen.until(last);
      expect(seen.events).toEqual([last]);
    });

    it.each<[string, unknown]>([
      ['nothing', undefined],
      ['null', null],
      ['a text', 'hello'],
      ['an envelope that is not encoded', JSON.parse(sampleMessage().json)],
      ['no JSON', { ...sampleMessage(), json: undefined }],
      ['the JSON of another event', { ...sampleMessage(), json: sampleMessage().json }],
      ['an id with a quote', { ...sampleMessage(), id: 'a"' }],
      ['an unknown type', { ...sampleMessage(), type: 'channel.rename' }],
      ['a channelId that is no text', { ...sampleMessage(), channelId: 7 }],
      ['a message without a channel', { ...sampleMessage(), channelId: null }],
      ['a message without a seq', { ...sampleMessage(), seq: null }],
      ['seq 0', { ...sampleMessage(), seq: 0 }],
      ['a seq beyond exact integers', { ...sampleMessage(), seq: 2 ** 53 }],
      ['seq NaN', { ...sampleMessage(), seq: NaN }],
      ['typing with a seq', { ...sampleTyping(), seq: 1 }],
    ])('rejects %s as invalid_event, without calling a handler', async (_what, bad) => {
      const seen = recorder();
      await subscriber.subscribeChannel('general', seen.handler);
      const refused = expect.objectContaining({ name: 'EventsError', code: 'invalid_event' });
      const published = publisher.publish(bad as EncodedEnvelope, { channel: true });
      await expect(published).rejects.toEqual(refused);
      const last = marker();
      await publisher.publish(last, { channel: true });
      await seen.until(last);
      expect(seen.events).toEqual([last]);
    });

    it.each<[string, unknown]>([
      ['no targets', undefined],
      ['agents that are no list', { agents: 7 }],
      ['an agent that is no text', { agents: [undefined] }],
    ])('rejects %s as invalid_event', async (_what, to) => {
      await expect(publisher.publish(sampleMessage(), to as PublishTargets)).rejects.toEqual(
        expect.objectContaining({ name: 'EventsError', code: 'invalid_event' }),
      );
    });

    it.each([undefined, 'a:b'])('rejects the id %p with invalid_event', async (bad) => {
      const id = bad as string;
      for (const call of [
        publisher.nextSeq(id),
        publisher.subscribeChannel(id, () => {}),
        publisher.subscribeAgent(id, () => {}),
      ]) {
        await expect(call).rejects.toMatchObject({ name: 'EventsError', code: 'invalid_event' });
      }
    });

    it('publishes nowhere when no topic is named', async () => {
      await publisher.publish(sampleTyping(), {});
      await publisher.publish(sampleTyping(), { agents: [], channel: false, global: false });
      expect(publisher.stats).toMatchObject({ published: 2, failed: 0 });
    });

    it('returns a probe to the bus that sent it, and to no handler', async () => {
      const seen = recorder();
      await subscriber.subscribeGlobal(seen.handler);
      await subscriber.subscribeChannel('general', seen.handler);
      const before = subscriber.stats;
      const results = await Promise.all([publisher.probe(1000), publisher.probe(1000)]);
      for (const result of results) {
        expect(result).toEqual({ outcome: 'back', latencyMs: expect.any(Number) });
      }
      const last = marker();
      await publisher.publish(last, { channel: true });
      await seen.until(last);
      expect(seen.events).toEqual([last]);
      expect(subscriber.stats.malformed).toBe(before.malformed);
    });

    it('rejects everything once closed, after pending publishes ended', async () => {
      const seen = recorder();
      const end = await publisher.subscribeChannel('general', seen.handler);
      const event = sampleMessage();
      const published = publisher.publish(event, { channel: true });
      await publisher.close();
      await published;
      expect(seen.events).toEqual([event]);

      const closed = expect.objectContaining({ name: 'EventsError', code: 'closed' });
      await expect(publisher.publish(marker(), { channel: true })).rejects.toEqual(closed);
      await expect(publisher.subscribeGlobal(seen.handler)).rejects.toEqual(closed);
      await expect(publisher.nextSeq('general')).rejects.toEqual(closed);
      await expect(publisher.probe(1000)).rejects.toEqual(closed);
      expect(seen.events).toEqual([event]);
      expect(publisher.available).toBe(false);
      expect(publisher.stats.topics).toBe(0);
      await end();
      await publisher.close();
    });
  });
}
