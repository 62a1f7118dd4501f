import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { parseCloseReason } from '@openclaw/protocol';
import { freePort, sendRaw, startHub, waitFor } from '@openclaw/test-support';
import { noRedis, startTestHub, type TestHub } from '../testing/test-hub.ts';
import { range } from '../testing/seqs.ts';
import { closeAfterAll } from '../testing/close-after-all.ts';

async function hubWith(
  environment: Readonly<Record<string, string>>,
): Promise<TestHub & { port: number }> {
  const hub = await startTestHub({ ...noRedis, ...environment });
  return Object.assign(hub, { port: Number(new URL(hub.url).port) });
}

const get = (port: number, path: string) =>
  sendRaw(port, `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);

describe('a hub at its limit of connections', () => {
  it('gives further clients a time to reconnect, and admits them when there is room', async () => {
    await using hub = await hubWith({ HUB_MAX_CONNECTIONS: '3' });
    const sockets = await Promise.all(range(1, 3).map((n) => hub.connect(`agent-${n}`)));
    const surplus = await hub.connect('late', { waitForWelcome: false });
    const { code, reason } = await surplus.closed;
    expect({ code, afterMs: parseCloseReason(reason) }).toEqual({
      code: 4503,
      afterMs: expect.any(Number),
    });
    await expect(hub.connect('late', { protocols: [] })).rejects.toThrow('503');
    const request = await get(hub.port, '/v1/channels?agent=late');
    expect(request.status).toBe(503);
    expect(request.head).toMatch(/retry-after: \d/i);
    expect(request.head).toMatch(/connection: close/i);
    expect(await sockets[0]?.call('ping')).toHaveProperty('timestamp');
    await sockets[0]?.close();
    const next = await waitFor(
      () => hub.connect('late', { timeoutMs: 1_000 }).catch(() => undefined),
      { what: 'room' },
    );
    await Promise.all([...sockets.slice(1), next].map((socket) => socket.close()));
  });

  it('still answers liveness, readiness and metrics', async () => {
    await using hub = await hubWith({ HUB_MAX_CONNECTIONS: '2' });
    const sockets = await Promise.all(range(1, 2).map((n) => hub.connect(`agent-${n}`)));
    expect((await get(hub.port, '/healthz')).status).toBe(200);
    expect((await get(hub.port, '/readyz')).status).toBe(200);
    const metrics = (await get(hub.port, '/metrics')).body;
    expect(metrics).toMatch(/^hub_connections_limit 2$/m);
    expect(metrics).toMatch(/^hub_connections 3$/m);
    await Promise.all(sockets.map((socket) => socket.close()));
  });

  // The race: a client opens all connections that the hub accepts, even those that are only for refusals, and sends
  // nothing. Invariant: file descriptors are reserved for the operations port.
  it('answers on its operations port when no other connection is accepted', async () => {
    await using hub = await hubWith({ HUB_MAX_CONNECTIONS: '2', HUB_OPS_PORT: '0' });
    const opsPort = Number(new URL(hub.opsUrl ?? '').port);
    const idle: Socket[] = range(1, 200).map(() =>
      connect({ port: hub.port, host: '127.0.0.1' }).on('error', () => undefined),
    );
    using _ = { [Symbol.dispose]: () => idle.forEach((socket) => socket.destroy()) };
    await Promise.race(idle.map((socket) => once(socket, 'close')));
    for (const path of ['/healthz', '/readyz', '/metrics'])
      expect((await get(opsPort, path)).status).toBe(200);
    expect((await get(opsPort, '/metrics')).body).toMatch(
      /^hub_dropped_connections_total [1-9]\d*$/m,
    );
  });
});

describe('the operations port', () => {
  it('has readiness and metrics; the public port has only liveness', async () => {
    await using hub = await hubWith({ HUB_OPS_PORT: '0' });
    const opsPort = Number(new URL(hub.opsUrl ?? '').port);
    expect((await get(hub.port, '/readyz')).status).toBe(404);
    expect((await get(hub.port, '/metrics')).status).toBe(404);
    for (const port of [hub.port, opsPort]) {
      const { status, body } = await get(port, '/healthz');
      expect({ status, body: JSON.parse(body) }).toEqual({ status: 200, body: { status: 'ok' } });
    }
    expect((await get(opsPort, '/v1/channels?agent=ana')).status).toBe(404);
    expect((await get(opsPort, '/')).status).toBe(404);
  });

  it('is named in the error when it is in use', async () => {
    const port = await freePort();
    closeAfterAll(await startHub({ env: { HUB_OPS_PORT: String(port) } }));
    await expect(startHub({ env: { HUB_OPS_PORT: String(port) } })).rejects.toThrow(
      `port ${port} on 127.0.0.1 is in use; set HUB_OPS_PORT to another`,
    );
  });
});
