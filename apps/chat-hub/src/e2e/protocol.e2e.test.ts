import { describe, expect, it } from '@jest/globals';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { JSONRPCClient } from 'json-rpc-2.0';
import { limits, notifications } from '@openclaw/protocol';
import { WebSocket } from 'ws';
import { noRedis, startTestHub, temporaryDatabase } from '../testing/test-hub.ts';

const database = closeAfterAll(await temporaryDatabase());
const hub = closeAfterAll(
  await startTestHub({
    HUB_DB_URL: database.url,
    ...noRedis,
  }),
);

describe('wire protocol', () => {
  it('welcomes with session, epoch, limits and heartbeat', async () => {
    await using ana = await hub.connect('ana');
    expect(() => notifications.welcome.params.parse(ana.welcome)).not.toThrow();
    expect(ana.received[0]).toMatchObject({
      method: 'welcome',
      params: { agentId: 'ana', protocol: 1, direct: [] },
    });
    expect(ana.ws.protocol).toBe('openclaw.v1');
  });

  it('works with a third-party JSON-RPC client library', async () => {
    const ws = new WebSocket(`${hub.wsUrl}?agent=library`);
    const client = new JSONRPCClient((request) => ws.send(JSON.stringify(request)));
    const welcomed = new Promise<void>((resolve) => {
      ws.on('message', (data: Buffer) => {
        const object = JSON.parse(data.toString()) as { id?: unknown; method?: string };
        if (object.method === 'welcome') resolve();
        else if (object.id !== undefined)
          client.receive(object as Parameters<typeof client.receive>[0]);
      });
    });
    await welcomed;
    expect(
      await client.request('channel.create', { channelId: 'lib', name: 'Library' }),
    ).toMatchObject({
      channel: { channelId: 'lib', kind: 'public', head: 1, createdBy: 'library' },
    });
    const sent = (await client.request('message.send', { channelId: 'lib', content: 'hello' })) as {
      seq: number;
    };
    expect(sent).toMatchObject({ seq: 2, duplicate: false });
    await expect(client.request('channel.get', { channelId: 'nowhere' })).rejects.toMatchObject({
      code: -32000,
      data: { code: 'not_found' },
    });
    await expect(client.request('no.such.method', {})).rejects.toMatchObject({ code: -32601 });
    ws.close();
  });

  it('answers a batch with one array to a client without the subprotocol', async () => {
    await using ana = await hub.connect('ana', { protocols: [] });
    const frame = new Promise<unknown>((resolve) =>
      ana.ws.once('message', (data: Buffer) => resolve(JSON.parse(data.toString()))),
    );
    ana.send(
      JSON.stringify([
        { jsonrpc: '2.0', id: 1, method: 'ping' },
        { jsonrpc: '2.0', method: 'ping' },
        { jsonrpc: '2.0', id: 'two', method: 'nope' },
        17,
      ]),
    );
    expect(await frame).toMatchObject([
      { id: 1, result: { timestamp: expect.any(Number) } },
      { id: 'two', error: { code: -32601 } },
      { id: null, error: { code: -32600 } },
    ]);
  });

  it('sends a client without the subprotocol one object per frame', async () => {
    await using ana = await hub.connect('ana', { protocols: [] });
    await ana.call('channel.create', { channelId: 'plain', name: 'Plain' });
    await ana.call('subscribe', { topics: [{ channelId: 'plain' }] });
    const frames: unknown[] = [];
    ana.ws.on('message', (data: Buffer) => frames.push(JSON.parse(data.toString())));
    await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        ana.call('message.send', { channelId: 'plain', content: `m${i}` }),
      ),
    );
    await ana.event(({ event }) => event.message?.content === 'm49');
    expect(frames.length).toBeGreaterThanOrEqual(100);
    expect(frames.some(Array.isArray)).toBe(false);
  });

  it.each([
    ['{', -32700],
    ['"text"', -32600],
    ['{"jsonrpc":"1.0","id":"x","method":"ping"}', -32600],
    ['{"jsonrpc":"2.0","id":"x","method":5}', -32600],
    ['{"jsonrpc":"2.0","id":{},"method":"ping"}', -32600],
    ['[]', -32600],
    ['{"jsonrpc":"2.0","id":"x","method":"__proto__"}', -32601],
    ['{"jsonrpc":"2.0","id":"x","method":"channel.get","params":[]}', -32602],
    ['{"jsonrpc":"2.0","id":"x","method":"channel.get","params":{"channelId":"a:b"}}', -32602],
    ['{"jsonrpc":"2.0","id":"x","method":"channel.get","params":{"channelId":"a{b}"}}', -32602],
    ['{"jsonrpc":"2.0","id":"x","method":"channel.get","params":{"channelId":"a","x":1}}', -32602],
  ])('answers %s with %i and continues', async (text, code) => {
    await using ana = await hub.connect('ana');
    ana.send(text);
    await ana.call('ping');
    expect(ana.received.find((object) => object.error)).toMatchObject({
      jsonrpc: '2.0',
      error: { code },
    });
  });

  it('a bad call affects neither the next call nor another socket', async () => {
    const [ana, ben] = [await hub.connect('ana'), await hub.connect('ben')];
    ana.send(
      '{"jsonrpc":"2.0","id":9,"method":"message.send","params":{"channelId":"c","content":"x","__proto__":{"y":1}}}',
    );
    await expect(ana.call('ping')).resolves.toBeDefined();
    await expect(ben.call('ping')).resolves.toBeDefined();
    await Promise.all([ana.close(), ben.close()]);
  });

  it('closes 4400 after repeated frames that are not JSON-RPC', async () => {
    const ana = await hub.connect('ana');
    for (let i = 0; i < 20; i++) ana.send('not json');
    expect((await ana.closed).code).toBe(4400);
  });

  it('closes 4413 on a frame over limits.frameBytes', async () => {
    const ana = await hub.connect('ana');
    ana.send('x'.repeat(limits.frameBytes + 1));
    expect((await ana.closed).code).toBe(4413);
  });

  it('closes 4429 on a flood of frames', async () => {
    const eve = await hub.connect('eve');
    for (let i = 0; i < 15_000; i++) eve.send('{"jsonrpc":"2.0","method":"ping"}');
    expect((await eve.closed).code).toBe(4429);
  });

  it('answers too_large for content over the limit, and accepts content at it', async () => {
    await using ana = await hub.connect('ana');
    await ana.call('channel.create', { channelId: 'large', name: 'Large' });
    await expect(
      ana.call('message.send', {
        channelId: 'large',
        content: 'x'.repeat(limits.contentBytes + 1),
      }),
    ).rejects.toMatchObject({ code: 'too_large' });
    await expect(
      ana.call('message.send', { channelId: 'large', content: 'x'.repeat(limits.contentBytes) }),
    ).resolves.toMatchObject({ seq: 2 });
  });

  it('stores a retry with the same clientMessageId once, and answers conflict for other content', async () => {
    await using ana = await hub.connect('ana');
    await ana.call('channel.create', { channelId: 'retry', name: 'Retry' });
    const params = { channelId: 'retry', content: 'once', clientMessageId: 'c1' };
    const [first, again] = await Promise.all([
      ana.call('message.send', params),
      ana.call('message.send', params),
    ]);
    expect(first).toMatchObject({ seq: 2, duplicate: false });
    expect(again).toEqual({ ...first, duplicate: true });
    await expect(ana.call('message.send', { ...params, content: 'other' })).rejects.toMatchObject({
      code: 'conflict',
    });
  });

  it('keeps the order of one socket’s calls on one channel', async () => {
    await using ana = await hub.connect('ana');
    await ana.call('channel.create', { channelId: 'order', name: 'Order' });
    const sends = Array.from({ length: 200 }, (_, i) =>
      ana.call('message.send', { channelId: 'order', content: `m${i}` }),
    );
    const seqs = (await Promise.all(sends)).map(({ seq }) => seq as number);
    expect(seqs).toEqual(seqs.map((_, i) => 2 + i));
  });

  it('limits each agent: refuses with rate_limited and a retry time', async () => {
    await using limited = await startTestHub({
      HUB_DB_URL: database.url,
      HUB_LIMIT_MESSAGE: '5/60',
      ...noRedis,
    });
    await using ana = await limited.connect('limited');
    await ana.call('channel.create', { channelId: 'limits', name: 'Limits' });
    for (let i = 0; i < 4; i++)
      await ana.call('message.send', { channelId: 'limits', content: `m${i}` });
    await expect(
      ana.call('message.send', { channelId: 'limits', content: 'six' }),
    ).rejects.toMatchObject({
      code: 'rate_limited',
      retryAfterMs: expect.any(Number),
    });
    await using other = await limited.connect('other');
    await other.call('channel.join', { channelId: 'limits' });
  });

  it('notifies draining clients with a slot each and closes 4503 with a hint', async () => {
    const leaving = await startTestHub({
      HUB_DB_URL: database.url,
      ...noRedis,
    });
    const ana = await leaving.connect('ana');
    await leaving.close();
    expect(await ana.notification('reconnect')).toMatchObject({
      afterMs: expect.any(Number),
      reason: 'draining',
    });
    const { code, reason } = await ana.closed;
    expect(code).toBe(4503);
    expect(JSON.parse(reason)).toMatchObject({ afterMs: expect.any(Number) });
  });
});
