import { beforeEach, describe, expect, it } from '@jest/globals';
import { waitFor, type RpcObject, type RpcSocket } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { seqsOf } from '../testing/seqs.ts';
import { noRedis, startTestHub } from '../testing/test-hub.ts';
let channelId: string;
let channels = 0;

const hub = closeAfterAll(await startTestHub(noRedis));
const ana = closeAfterAll(await hub.connect('ana'));
await ana.call('channel.create', { channelId: 'marker', name: 'Marker' });
beforeEach(async () => {
  channelId = `c${(channels += 1)}`;
  await ana.call('channel.create', { channelId, name: 'Channel' });
});

type Call = readonly [method: string, params: object];

async function together(
  socket: RpcSocket,
  isBatch: boolean,
  calls: readonly Call[],
): Promise<RpcObject[]> {
  const requests = calls.map(([method, params], index) => ({
    jsonrpc: '2.0',
    id: `together-${index}`,
    method,
    params,
  }));
  if (isBatch) socket.send(JSON.stringify(requests));
  else for (const request of requests) socket.send(JSON.stringify(request));
  return waitFor(
    () => {
      const answers = requests.map(({ id }) => socket.received.find((object) => object.id === id));
      return answers.every((answer) => answer !== undefined) && answers;
    },
    { what: 'all answers' },
  );
}

const live = (socket: RpcSocket) =>
  seqsOf(socket.events.filter((envelope) => envelope.channelId === channelId));

// The race: a client sends calls without waiting for answers, although later calls depend on earlier ones. Invariant:
// the calls take effect in the order of their arrival.
describe.each([
  { how: 'as single frames', isBatch: false, protocols: ['openclaw.v1'] },
  { how: 'as a batch', isBatch: true, protocols: ['openclaw.v1'] },
  { how: 'as single frames without the subprotocol', isBatch: false, protocols: [] },
  { how: 'as a batch without the subprotocol', isBatch: true, protocols: [] },
])('calls of one socket, sent together $how', ({ isBatch, protocols }) => {
  it('[subscribe, unsubscribe] ends unsubscribed', async () => {
    await using socket = await hub.connect('ana', { protocols });
    await socket.call('subscribe', { topics: [{ channelId: 'marker' }] });
    await together(socket, isBatch, [
      ['subscribe', { topics: [{ channelId }] }],
      ['unsubscribe', { channelIds: [channelId] }],
    ]);
    await ana.call('message.send', { channelId, content: 'unheard' });
    await ana.call('message.send', { channelId: 'marker', content: channelId });
    await socket.event(({ event }) => event.message?.content === channelId);
    expect(live(socket)).toEqual([]);
  });

  it('[channel.join, subscribe] ends subscribed', async () => {
    await using socket = await hub.connect('ben', { protocols });
    const [, subscribed] = await together(socket, isBatch, [
      ['channel.join', { channelId }],
      ['subscribe', { topics: [{ channelId, since: 0 }] }],
    ]);
    expect(subscribed?.result.topics[0]).toMatchObject({ resumed: true, head: 2 });
    const { seq } = await ana.call('message.send', { channelId, content: 'heard' });
    await socket.event((envelope) => envelope.seq === seq);
    expect(live(socket)).toEqual([3]);
  });

  it('[subscribe, message.send] delivers the own message live, after the result', async () => {
    await using socket = await hub.connect('ana', { protocols });
    const [subscribed, sent] = await together(socket, isBatch, [
      ['subscribe', { topics: [{ channelId }] }],
      ['message.send', { channelId, content: 'mine' }],
    ]);
    await socket.event(({ event }) => event.message?.content === 'mine');
    expect(subscribed?.result.topics[0]).toMatchObject({ resumed: false, head: 1 });
    expect(live(socket)).toEqual([sent?.result.seq]);
    const order = socket.received.filter(
      (object) => object.id === subscribed?.id || object.params?.channelId === channelId,
    );
    expect(order[0]?.id).toBe(subscribed?.id);
  });

  it('[message.send with basedOn, message.send] are logged in this order', async () => {
    await using socket = await hub.connect('ana', { protocols });
    const answers = await together(socket, isBatch, [
      ['message.send', { channelId, content: 'first', basedOn: 1 }],
      ['message.send', { channelId, content: 'second' }],
      ['message.send', { channelId, content: 'third', basedOn: 1 }],
    ]);
    expect(answers.map(({ result }) => result?.seq)).toEqual([2, 3, 4]);
  });

  it('[message.send, message.history] includes the message just sent', async () => {
    await using socket = await hub.connect('ana', { protocols });
    const [sent, history] = await together(socket, isBatch, [
      ['message.send', { channelId, content: 'mine' }],
      ['message.history', { channelId, limit: 1 }],
    ]);
    expect(history?.result.messages).toMatchObject([{ seq: sent?.result.seq }]);
  });
});

describe('a batch without the subprotocol', () => {
  // The race: a subscribed channel has new events before all calls of the batch are answered. Invariant: the array of
  // results comes before the events.
  it('is answered by one array, before the events of its subscriptions', async () => {
    await using socket = await hub.connect('ana', { protocols: [] });
    const frames: (RpcObject | RpcObject[])[] = [];
    socket.ws.on('message', (data: Buffer) => frames.push(JSON.parse(data.toString())));
    const sends = Array.from({ length: 20 }, (_, n): Call => [
      'message.send',
      { channelId, content: `m${n}` },
    ]);
    await together(socket, true, [['subscribe', { topics: [{ channelId }] }], ...sends]);
    await socket.event(({ event }) => event.message?.content === 'm19');
    const [answer, ...events] = frames;
    expect(Array.isArray(answer) && answer.length).toBe(21);
    expect(events.some((frame) => Array.isArray(frame))).toBe(false);
    expect(live(socket)).toEqual(Array.from({ length: 20 }, (_, n) => n + 2));
  });
});
