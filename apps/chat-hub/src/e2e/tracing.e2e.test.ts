import { afterEach, describe, expect, it } from '@jest/globals';
import { createKeySchema } from '@openclaw/key-schema';
import { createRedisClient, parseRedisEnvironment } from '@openclaw/redis-client';
import { waitFor } from '@openclaw/test-support';
import {
  AlwaysOnSampler,
  InMemorySpanExporter,
  NodeTracerProvider,
  ParentBasedSampler,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-node';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { isMessage } from '../testing/messages.ts';
import { startTestHub } from '../testing/test-hub.ts';
import { startTwoHubs } from '../testing/two-hubs.ts';

const exporter = new InMemorySpanExporter();
new NodeTracerProvider({
  sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }),
  spanProcessors: [new SimpleSpanProcessor(exporter)],
}).register();

const { hubA, hubB, redis, environment } = await startTwoHubs({ HUB_TRACING: 'on' });
afterEach(() => exporter.reset());

const traceId = '0af7651916cd43dd8448eb211c80319c';
const callerSpan = 'b7ad6b7169203331';
const sampled = `00-${traceId}-${callerSpan}-01`;
const unsampled = `00-${traceId}-${callerSpan}-00`;

const childrenOf = (parentId: string) =>
  exporter.getFinishedSpans().filter(({ parentSpanContext }) => {
    return parentSpanContext?.spanId === parentId;
  });

async function child(parentId: string, name: string, hubId: string): Promise<ReadableSpan> {
  const found = () =>
    childrenOf(parentId).filter(
      (span) => span.name === name && span.attributes['hub.id'] === hubId,
    );
  await waitFor(() => found().length > 0, { what: `${name} on ${hubId}` });
  expect(found()).toHaveLength(1);
  return found()[0] as ReadableSpan;
}

const idOf = (span: ReadableSpan) => span.spanContext().spanId;

async function channelOf(channelId: string) {
  const ana = await hubA.connect('ana');
  await ana.call('channel.create', { channelId, name: channelId });
  const [ben, cem] = [await hubB.connect('ben'), await hubA.connect('cem')];
  for (const one of [ben, cem]) {
    await one.call('channel.join', { channelId });
    await one.call('subscribe', { topics: [{ channelId }] });
  }
  exporter.reset();
  return { ana, ben, cem, channelId };
}

async function expectWholeTrace(call: ReadableSpan, sockets: { a: number; b: number }) {
  await child(idOf(call), 'append message.send', hubA.hubId);
  const publish = await child(idOf(call), 'publish channel.message', hubA.hubId);
  const here = await child(idOf(publish), 'deliver channel.message', hubA.hubId);
  const there = await child(idOf(publish), 'deliver channel.message', hubB.hubId);
  const all = [call, publish, here, there];
  expect(new Set(all.map((span) => span.spanContext().traceId)).size).toBe(1);
  expect(here.attributes['chat.sockets']).toBe(sockets.a);
  expect(there.attributes['chat.sockets']).toBe(sockets.b);
  expect(there.attributes['chat.seq']).toBe(publish.attributes['chat.seq']);
}

describe('tracing over two hubs', () => {
  it('joins frame, append, publish and both deliveries of a message in one trace', async () => {
    const { ana, ben, channelId } = await channelOf('traced');
    await ana.call('message.send', { channelId, content: 'over WebSocket' });
    await ben.event(isMessage('over WebSocket'));
    await waitFor(() => exporter.getFinishedSpans().some(({ name }) => name.startsWith('frame')));
    const frame = exporter.getFinishedSpans().find(({ name }) => name === 'frame message.send');
    expect(frame?.parentSpanContext).toBeUndefined();
    await expectWholeTrace(frame as ReadableSpan, { a: 1, b: 1 });
  });

  it('adds nothing to what clients receive', async () => {
    const { ana, ben, cem, channelId } = await channelOf('plain-wire');
    await ana.call('message.send', { channelId, content: 'as always' });
    const [here, there] = [
      await cem.event(isMessage('as always')),
      await ben.event(isMessage('as always')),
    ];
    expect(there).toEqual(here);
    expect(JSON.stringify(here)).not.toMatch(/trace/i);
    expect(Object.keys(here as object).sort()).toEqual(
      ['channelId', 'epoch', 'event', 'id', 'senderId', 'senderKind', 'seq', 'timestamp'].sort(),
    );
  });

  it('continues the traceparent of a REST caller', async () => {
    const { ben, channelId } = await channelOf('rest-caller');
    const response = await fetch(`${hubA.url}/v1/channels/${channelId}/messages?agent=ana`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', traceparent: sampled },
      body: JSON.stringify({ content: 'over REST' }),
    });
    expect(response.status).toBe(201);
    await ben.event(isMessage('over REST'));
    const request = await child(callerSpan, 'request message.send', hubA.hubId);
    expect(request.spanContext().traceId).toBe(traceId);
    await expectWholeTrace(request, { a: 1, b: 1 });
  });

  it('continues the traceparent of a WebSocket upgrade in every frame of that socket', async () => {
    const { ben, channelId } = await channelOf('upgrade-caller');
    const dee = await hubA.connect('dee', { headers: { traceparent: sampled } });
    await dee.call('channel.join', { channelId });
    for (const content of ['one', 'two']) {
      await dee.call('message.send', { channelId, content });
      await ben.event(isMessage(content));
    }
    await waitFor(() => childrenOf(callerSpan).length === 3);
    const frames = childrenOf(callerSpan);
    expect(frames.map(({ name }) => name)).toEqual([
      'frame channel.join',
      'frame message.send',
      'frame message.send',
    ]);
    for (const frame of frames.slice(1)) await expectWholeTrace(frame, { a: 1, b: 1 });
  });

  it('keeps the calls of one socket apart when one waits for another', async () => {
    const { ana, channelId } = await channelOf('in-order');
    await Promise.all([
      ana.call('subscribe', { topics: [{ channelId }] }),
      ana.call('message.send', { channelId, content: 'behind a subscribe' }),
    ]);
    await waitFor(() => exporter.getFinishedSpans().some(({ name }) => name.startsWith('append')));
    await waitFor(() => {
      return (
        exporter.getFinishedSpans().filter(({ name }) => name.startsWith('frame')).length === 2
      );
    });
    const named = (name: string) =>
      exporter.getFinishedSpans().find((span) => span.name === name) as ReadableSpan;
    expect(named('append message.send').parentSpanContext?.spanId).toBe(
      idOf(named('frame message.send')),
    );
    expect(
      childrenOf(idOf(named('frame subscribe'))).filter(({ name }) => name.startsWith('append')),
    ).toEqual([]);
  });

  it('names refusals and faults by their code', async () => {
    const { ana } = await channelOf('refusals');
    const nowhere = { channelId: 'nowhere', content: 'hello' };
    await expect(ana.call('message.send', nowhere)).rejects.toThrow();
    await waitFor(() => exporter.getFinishedSpans().some(({ name }) => name.startsWith('frame')));
    const frame = exporter.getFinishedSpans().find(({ name }) => name === 'frame message.send');
    expect(frame?.attributes['chat.refusal']).toBe('not_found');
    expect(frame?.status.code).toBe(0);
  });

  it('carries nothing of a trace that is not sampled', async () => {
    const { ben, channelId } = await channelOf('unsampled');
    const { REDIS_URL } = environment;
    const connection = parseRedisEnvironment({ REDIS_URL });
    if (!connection) throw new Error('no Redis');
    const listener = createRedisClient(connection);
    const carried: string[] = [];
    const topic = createKeySchema().traceTopic;
    await listener.subscriber.subscribe(topic, (text) => carried.push(text));
    const post = (content: string, traceparent: string) =>
      fetch(`${hubA.url}/v1/channels/${channelId}/messages?agent=ana`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', traceparent },
        body: JSON.stringify({ content }),
      });
    await post('not sampled', unsampled);
    await ben.event(isMessage('not sampled'));
    expect(exporter.getFinishedSpans()).toEqual([]);
    // Negative control: the trace of a sampled message arrives on the same topic. A topic keeps its order, so no trace
    // of the first message can follow.
    await post('sampled', sampled);
    await waitFor(() => carried.length > 0);
    expect(carried).toHaveLength(1);
    expect(carried[0]).toContain(traceId);
    await listener.close();
  });

  it('works with a hub that does not trace, in both directions', async () => {
    const old = closeAfterAll(await startTestHub({ ...environment, HUB_TRACING: 'off' }));
    await waitFor(() => old.redis.available);
    const { ana, ben, channelId } = await channelOf('mixed');
    const eve = await old.connect('eve');
    await eve.call('channel.join', { channelId });
    await eve.call('subscribe', { topics: [{ channelId }] });
    await ana.call('message.send', { channelId, content: 'from hub A' });
    const received = await eve.event(isMessage('from hub A'));
    expect(JSON.stringify(received)).not.toMatch(/trace/i);
    await eve.call('message.send', { channelId, content: 'from the other hub' });
    await ben.event(isMessage('from the other hub'));
    const metrics = await (await fetch(`${old.url}/metrics`)).text();
    expect(metrics).toMatch(/^hub_publish_failures_total 0$/m);
    const listeners = await redis.command(`PUBSUB NUMSUB ${createKeySchema().traceTopic}`);
    expect(listeners).toMatch(/:2$/);
    const hubIds = exporter.getFinishedSpans().map(({ attributes }) => attributes['hub.id']);
    expect(hubIds).not.toContain(old.hubId);
  });
});
