import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { waitFor } from '@openclaw/test-support';
import { WebSocketServer, type WebSocket } from 'ws';
import { openLeanSocket } from './lean-socket.ts';

/** The server is `ws`, which refuses violations of the protocol. */
describe('a lean socket', () => {
  let server: WebSocketServer;
  beforeEach(async () => {
    server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
  });
  afterEach(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });

  async function open() {
    const texts: string[] = [];
    const closes: (readonly [number | null, string])[] = [];
    const accepted = once(server, 'connection') as Promise<[WebSocket]>;
    const { port } = server.address() as AddressInfo;
    const socket = openLeanSocket(
      { port, path: '/', protocol: null },
      {
        onOpen: () => undefined,
        onFrame: (bytes, start, end) => texts.push(bytes.toString('utf8', start, end)),
        onClose: (code, reason) => closes.push([code, reason]),
      },
    );
    const [peer] = await accepted;
    return { socket, peer, texts, closes };
  }

  it('receives short, long and fragmented texts in order, also in one packet', async () => {
    const { peer, texts } = await open();
    const sent = ['a', 'b'.repeat(200), 'c'.repeat(300_000), 'first second', ''];
    for (const text of sent.slice(0, 3)) peer.send(text);
    peer.send('first ', { fin: false });
    peer.send('second', { fin: true });
    peer.send('');
    await waitFor(() => texts.length === sent.length, { what: 'the texts' });
    expect(texts).toEqual(sent);
  });

  it('sends texts of every length of header, answers pings, and reports why it was closed', async () => {
    const { socket, peer, closes } = await open();
    const received: string[] = [];
    peer.on('message', (data: Buffer) => received.push(data.toString()));
    const sent = ['ä', 'b'.repeat(126), 'c'.repeat(70_000)];
    for (const text of sent) socket.send(text);
    await waitFor(() => received.length === sent.length, { what: 'the texts' });
    expect(received).toEqual(sent);

    const pong = once(peer, 'pong') as Promise<[Buffer]>;
    peer.ping('are you there');
    expect((await pong)[0].toString()).toBe('are you there');

    peer.close(4503, '{"afterMs":20}');
    await waitFor(() => closes.length === 1, { what: 'the close' });
    expect(closes).toEqual([[4503, '{"afterMs":20}']]);
  });

  it('says why it could not connect', async () => {
    const { port } = server.address() as AddressInfo;
    server.close();
    const reason = await new Promise<string>((resolve) => {
      openLeanSocket(
        { port, path: '/', protocol: null },
        {
          onOpen: () => undefined,
          onFrame: () => undefined,
          onClose: (_, text) => resolve(text),
        },
      );
    });
    expect(reason).toContain('ECONNREFUSED');
  });
});
