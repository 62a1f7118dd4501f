import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { waitFor } from './processes.ts';
import { startTcpLink, type TcpLink } from './tcp-link.ts';

let echo: Server;
let link: TcpLink;
let targetPort: number;
const clients: Socket[] = [];
beforeEach(async () => {
  echo = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  const address = echo.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  targetPort = address.port;
  link = await startTcpLink(targetPort);
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await link.stop();
  await new Promise((resolve) => echo.close(resolve));
});

/** Waits several times as long as a byte needs without the link. A byte that the link passes arrives in this time. */
async function passTime() {
  const direct = await open(targetPort);
  for (let i = 1; i <= 5; i += 1) {
    direct.socket.write('.');
    await waitFor(() => direct.text.length === i);
  }
}

async function open(port = link.port) {
  const socket = connect(port, '127.0.0.1');
  clients.push(socket);
  const state = { socket, text: '', isClosed: false };
  socket.on('data', (chunk) => (state.text += chunk.toString()));
  socket.on('error', () => undefined);
  socket.on('close', () => (state.isClosed = true));
  await waitFor(() => !socket.connecting || state.isClosed);
  return state;
}

describe('a TCP link', () => {
  it('passes everything, in order', async () => {
    const client = await open();
    for (let i = 0; i < 10; i += 1) client.socket.write(String(i));
    await waitFor(() => client.text === '0123456789');
  });

  it('passes everything later, in order, also when the delay ends meanwhile', async () => {
    const client = await open();
    client.socket.write('a');
    await waitFor(() => client.text === 'a');
    link.delay(100);
    const startMs = performance.now();
    client.socket.write('b');
    // The link must have read b before it is healed.
    await waitFor(() => client.socket.bytesWritten === 2 && client.socket.writableLength === 0);
    await new Promise((resolve) => setImmediate(resolve));
    link.heal();
    client.socket.write('c');
    await waitFor(() => client.text === 'abc');
    expect(client.text).toBe('abc');
    expect(performance.now() - startMs).toBeGreaterThan(0);
  });

  it('takes a delay for each direction', async () => {
    const client = await open();
    link.delay(60);
    const startMs = performance.now();
    client.socket.write('a');
    await waitFor(() => client.text === 'a');
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(115);
  });

  it('swallows: all look open, nothing comes, and what lost bytes is cut when it heals', async () => {
    const [silent, idle] = [await open(), await open()];
    silent.socket.write('before');
    await waitFor(() => silent.text === 'before');
    link.swallow();
    silent.socket.write('lost');
    const late = await open();
    late.socket.write('lost as well');
    await waitFor(() => late.socket.bytesWritten > 0 && link.connections === 3);
    await waitFor(() => silent.socket.writableLength + late.socket.writableLength === 0);
    expect([silent.isClosed, late.isClosed]).toEqual([false, false]);
    await passTime();
    link.heal();
    await waitFor(() => silent.isClosed && late.isClosed);
    expect([silent.text, late.text]).toEqual(['before', '']);
    idle.socket.write('alive');
    await waitFor(() => idle.text === 'alive');
  });

  it('stalls: all look open, nothing comes, and all of it comes when it heals', async () => {
    const client = await open();
    client.socket.write('a');
    await waitFor(() => client.text === 'a');
    link.stall();
    client.socket.write('b');
    const late = await open();
    late.socket.write('c');
    await waitFor(() => link.connections === 2);
    await waitFor(() => client.socket.writableLength + late.socket.writableLength === 0);
    await passTime();
    expect([client.text, late.text]).toEqual(['a', '']);
    link.heal();
    await waitFor(() => client.text === 'ab' && late.text === 'c');
  });

  it('refuses: what is open is cut, and nobody comes in until it heals', async () => {
    const first = await open();
    link.refuse();
    await waitFor(() => first.isClosed);
    const second = await open();
    await waitFor(() => second.isClosed);
    link.heal();
    const third = await open();
    third.socket.write('in');
    await waitFor(() => third.text === 'in');
  });

  it('drops what is open, and takes who comes next', async () => {
    const first = await open();
    await waitFor(() => link.connections === 1);
    link.drop();
    await waitFor(() => first.isClosed);
    const second = await open();
    second.socket.write('in');
    await waitFor(() => second.text === 'in');
  });
});
