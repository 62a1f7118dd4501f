import { afterAll, describe, expect, it } from '@jest/globals';
import { createKeySchema } from '@openclaw/key-schema';
import { trace } from '@opentelemetry/api';
import { NodeTracerProvider, SamplingDecision } from '@opentelemetry/sdk-trace-node';
import { isMessage } from '../testing/messages.ts';
import { startTwoHubs, type TwoHubs } from '../testing/two-hubs.ts';
import { untraced } from '../tracing/tracing.ts';

const started: string[] = [];
new NodeTracerProvider({
  sampler: {
    shouldSample(_context, _traceId, name) {
      started.push(name);
      return { decision: SamplingDecision.NOT_RECORD };
    },
  },
}).register();
afterAll(() => trace.disable());

const traceListeners = ({ redis }: TwoHubs) =>
  redis.command(`PUBSUB NUMSUB ${createKeySchema().traceTopic}`);

async function sendOne({ hubA, hubB }: TwoHubs): Promise<void> {
  const [ana, ben] = [await hubA.connect('ana'), await hubB.connect('ben')];
  const channelId = 'off';
  await ana.call('channel.create', { channelId, name: channelId });
  await ben.call('channel.join', { channelId });
  await ben.call('subscribe', { topics: [{ channelId }] });
  await ana.call('message.send', { channelId, content: 'hello' });
  await ben.event(isMessage('hello'));
  await Promise.all([ana.close(), ben.close()]);
}

describe('a hub with tracing off', () => {
  it('has the parts themselves on the path of a message, and no wrappers', () => {
    const part = Object.freeze({});
    const wrappers = Object.entries(
      untraced as unknown as Readonly<Record<string, (part: object) => object>>,
    );
    expect(wrappers).toHaveLength(6);
    for (const [, wrap] of wrappers) expect(wrap(part)).toBe(part);
  });

  it('starts no span and listens to no trace, although an SDK is registered', async () => {
    const off = await startTwoHubs();
    await sendOne(off);
    expect(started).toEqual([]);
    expect(await traceListeners(off)).toMatch(/:0$/);

    // Negative control: with tracing on, the SDK gets the spans of the same message.
    const on = await startTwoHubs({ HUB_TRACING: 'on' });
    await sendOne(on);
    expect(started).toContain('frame message.send');
    expect(await traceListeners(on)).toMatch(/:2$/);
  });
});
