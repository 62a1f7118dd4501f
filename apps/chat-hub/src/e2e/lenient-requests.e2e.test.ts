import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { noRedis, startTestHub } from '../testing/test-hub.ts';

const hub = closeAfterAll(await startTestHub(noRedis));
await hub.request('ana', 'POST', '/v1/channels', { channelId: 'room', name: 'Room' });

async function send(path: string, init: RequestInit) {
  const response = await fetch(`${hub.url}${path}?agent=ana`, { method: 'POST', ...init });
  return {
    status: response.status,
    body: (await response.json()) as { error?: { message: string } },
  };
}
const json = { 'content-type': 'application/json' };

describe('a request without a body', () => {
  it.each([
    ['POST', '/v1/channels/room/join'],
    ['POST', '/v1/channels/room/typing'],
    ['DELETE', '/v1/channels/room/typing'],
    ['POST', '/v1/call/ping'],
    ['GET', '/v1/channels/room'],
  ])('is answered although it has the JSON header: %s %s', async (method, path) => {
    expect(await send(path, { method, headers: json })).toMatchObject({ status: 200 });
  });

  it('is answered with the params that it lacks', async () => {
    expect(await send('/v1/call/message.send', { headers: json })).toMatchObject({
      status: 400,
      body: {
        error: { code: 'invalid_params', issues: [{ path: ['channelId'] }, { path: ['content'] }] },
      },
    });
  });
});

describe('a body that the hub does not read', () => {
  const body = JSON.stringify({ content: 'hi' });
  const url = '/v1/channels/room/messages';

  it.each([
    [
      'a form',
      { body: 'content=hi', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      415,
      /Content-Type: application\/json/,
    ],
    [
      'bytes',
      { body, headers: { 'content-type': 'application/octet-stream' } },
      415,
      /Content-Type: application\/json/,
    ],
    [
      'gzip',
      { body: gzipSync(body), headers: { ...json, 'content-encoding': 'gzip' } },
      415,
      /uncompressed/,
    ],
    ['gzip that is not declared', { body: gzipSync(body), headers: json }, 415, /uncompressed/],
    [
      'another coding',
      { body, headers: { ...json, 'content-encoding': 'br' } },
      415,
      /uncompressed/,
    ],
    [
      'text in another encoding',
      { body: Buffer.from('{"content":"h\u00e9"}', 'latin1'), headers: json },
      400,
      /not UTF-8/,
    ],
  ])('is refused with what to send in its place: %s', async (_name, init, status, message) => {
    const answer = await send(url, init);
    expect(answer.status).toBe(status);
    expect(answer.body.error?.message).toMatch(message);
  });

  it('is read when it says that it is not encoded', async () => {
    const headers = { ...json, 'content-encoding': 'identity' };
    expect(await send(url, { body, headers })).toMatchObject({ status: 201 });
  });
});

describe('a problem of the params', () => {
  const metadata = '{"user":{"ids":[1481220477346119781]}}';
  const place = {
    path: ['metadata', 'user', 'ids', 0],
    message: expect.stringMatching(/as a string/),
  };

  it('has its path as a list over both transports: an integer that JSON rounds', async () => {
    await using ana = await hub.connect('ana');
    ana.send(
      `{"jsonrpc":"2.0","id":"x","method":"message.send","params":{"channelId":"room","content":"hi","metadata":${metadata}}}`,
    );
    await ana.call('ping');
    expect(ana.received.find(({ id }) => id === 'x')?.error).toMatchObject({
      code: -32602,
      data: [place],
    });
    const body = `{"content":"hi","metadata":${metadata}}`;
    expect(await send('/v1/channels/room/messages', { body, headers: json })).toMatchObject({
      status: 400,
      body: { error: { code: 'invalid_params', issues: [place] } },
    });
    const payload = `{"channelId":"room","name":"n","payload":${metadata}}`;
    expect(
      await send('/v1/call/collaboration.emit', { body: payload, headers: json }),
    ).toMatchObject({
      status: 400,
      body: { error: { issues: [{ path: ['payload', 'user', 'ids', 0] }] } },
    });
  });
});

describe('a response that a client sends', () => {
  const response = (id: unknown, rest: object) => JSON.stringify({ jsonrpc: '2.0', id, ...rest });

  // The hub must not answer a response with an error. Clients match answers to calls by id, so this error could end a
  // call in flight.
  it.each([['openclaw.v1'], [undefined]])(
    'is ignored, alone and in a batch, with the subprotocol %s',
    async (protocol) => {
      await using ana = await hub.connect('ana', { protocols: protocol ? [protocol] : [] });
      const before = ana.received.length;
      // Twenty bad frames would close the socket.
      for (let i = 0; i < 20; i += 1) {
        ana.send(response(i, { result: {} }));
        ana.send(response(null, { error: { code: -32600, message: 'no' } }));
      }
      ana.send(`[${response(1, { result: 1 })},${response(2, { result: 2 })}]`);
      ana.send(`[${response(7, { result: 1 })},{"jsonrpc":"2.0","id":"b","method":"ping"}]`);
      expect(await ana.call('ping')).toMatchObject({ timestamp: expect.any(Number) });
      const answered = ana.received.slice(before).map(({ id, error }) => [id, error]);
      expect(answered).toEqual([
        ['b', undefined],
        [expect.any(Number), undefined],
      ]);
      expect(ana.ws.readyState).toBe(ana.ws.OPEN);
    },
  );

  it('is no excuse for a call that is not well-formed', async () => {
    await using ana = await hub.connect('ana');
    ana.send('{"jsonrpc":"2.0","id":"x"}');
    ana.send('{"jsonrpc":"2.0","id":"y","method":7,"result":1}');
    await ana.call('ping');
    const refused = ana.received.filter(({ error }) => error?.code === -32600);
    expect(refused.map(({ id }) => id)).toEqual(['x', 'y']);
  });
});

describe('a binary frame', () => {
  it('is refused with what to send in its place', async () => {
    await using ana = await hub.connect('ana');
    ana.ws.send(Buffer.from('{"jsonrpc":"2.0","id":1,"method":"ping"}'), { binary: true });
    await ana.call('ping');
    expect(ana.received.at(-2)?.error).toEqual({
      code: -32700,
      message: expect.stringMatching(/text frames/),
    });
  });
});
