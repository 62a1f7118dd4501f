import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { freePort, waitFor } from '@openclaw/test-support';
import { createClient } from './client.ts';
import type { HubClient } from './hub-client.ts';
import { backoffMs, type StateChange } from './connection.ts';
import type { ClientOptions } from './options.ts';
import { startScriptedHub, type ScriptedHub } from './scripted-hub.test.support.ts';

let hub: ScriptedHub;
const clients: HubClient[] = [];
beforeEach(async () => {
  hub = await startScriptedHub();
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await hub.stop();
});

function connect(options: Partial<ClientOptions> = {}) {
  const client = createClient({
    url: hub.url,
    ...(options.token === undefined && options.getToken === undefined && { agent: 'ada' }),
    backoffMinMs: 1,
    backoffMaxMs: 1,
    ...options,
  });
  clients.push(client);
  const changes: StateChange[] = [];
  client.on('state', (change) => changes.push(change));
  return { client, changes, states: () => changes.map(({ state }) => state) };
}

describe('a connection', () => {
  it('offers its token in the subprotocol list, and is live with the welcome', async () => {
    const { client, states } = connect({ token: 'abc.def-_' });
    expect(client.state).toBe('connecting');
    const side = await hub.nextConnection();
    expect(side.offered).toEqual(['openclaw.v1', 'bearer.abc.def-_']);
    expect(side.address).toBe('/v1/ws');
    side.welcome({ sessionId: 's7' });
    expect(await client.ready()).toMatchObject({ sessionId: 's7' });
    expect(client.state).toBe('live');
    expect(client.welcome?.sessionId).toBe('s7');
    await client.close();
    expect(states()).toEqual(['live', 'closed']);
  });

  it('names its agent in the address for a hub with dev auth', async () => {
    connect();
    const side = await hub.nextConnection();
    expect(side.offered).toEqual(['openclaw.v1']);
    expect(side.address).toBe('/v1/ws?agent=ada');
  });

  it('reconnects after a crash of the hub, with a new token each time', async () => {
    let tokens = 0;
    const { client, states } = connect({ getToken: async () => `t${(tokens += 1)}` });
    const first = await hub.nextConnection();
    first.welcome();
    await client.ready();
    first.terminate();
    const second = await hub.nextConnection();
    expect([first.offered[1], second.offered[1]]).toEqual(['bearer.t1', 'bearer.t2']);
    second.welcome();
    await client.ready();
    expect(states()).toEqual(['live', 'reconnecting', 'live']);
  });

  it('keeps trying an absent hub, and reports why', async () => {
    const { client, changes } = connect({ url: `ws://127.0.0.1:${await freePort()}` });
    await waitFor(() => changes.length >= 3);
    expect(client.state).toBe('connecting');
    expect(changes[2]).toMatchObject({ state: 'connecting', error: { code: 'disconnected' } });
    expect(changes[2]?.error?.message).toContain('cannot be reached');
  });

  it('reconnects exactly at the time in a draining hub’s close reason', async () => {
    const { client, changes } = connect({ backoffMinMs: 60_000, backoffMaxMs: 60_000 });
    (await hub.nextConnection()).close(4503, '{"afterMs":30}');
    const second = await hub.nextConnection();
    second.welcome();
    await client.ready();
    expect(changes[0]).toMatchObject({
      retryInMs: 30,
      error: { code: 'unavailable', retryAfterMs: 30 },
    });
  });

  it('reconnects at its slot when the hub asks for it, even if the hub closes earlier', async () => {
    const { client } = connect({ backoffMinMs: 60_000, backoffMaxMs: 60_000 });
    const first = await hub.nextConnection();
    first.welcome();
    await client.ready();
    first.notify('reconnect', { afterMs: 20, reason: 'draining' });
    const second = await hub.nextConnection();
    await first.closed;
    second.welcome();
    await client.ready();
    second.notify('reconnect', { afterMs: 20, reason: 'draining' });
    second.close(1001);
    (await hub.nextConnection()).welcome();
    await client.ready();
  });

  it('closes when the hub refuses the token, and rejects everything that waits', async () => {
    const { client, states } = connect({ token: 'bad' });
    const call = client.call('read.state', {});
    const ready = client.ready();
    (await hub.nextConnection()).close(4401);
    await expect(call).rejects.toMatchObject({ name: 'HubError', code: 'unauthorized' });
    await expect(ready).rejects.toMatchObject({ code: 'unauthorized' });
    await expect(client.call('ping', {})).rejects.toMatchObject({ code: 'unauthorized' });
    await expect(client.ready()).rejects.toMatchObject({ code: 'unauthorized' });
    expect(states()).toEqual(['closed']);
    expect(hub.connectionCount).toBe(1);
  });

  it('gets one new token when the old one expired, and closes when the new one is refused too', async () => {
    let tokens = 0;
    const { client, states } = connect({ getToken: () => `t${(tokens += 1)}` });
    const first = await hub.nextConnection();
    first.welcome();
    await client.ready();
    first.close(4401);
    (await hub.nextConnection()).close(4401);
    await waitFor(() => client.state === 'closed');
    expect(tokens).toBe(2);
    expect(states()).toEqual(['live', 'reconnecting', 'closed']);
  });

  it('closes when its token was revoked, even if it could get another', async () => {
    const { client } = connect({ getToken: () => 't' });
    (await hub.nextConnection()).close(4403);
    await waitFor(() => client.state === 'closed');
    expect(hub.connectionCount).toBe(1);
  });

  it('abandons an attempt without a welcome, and tries again', async () => {
    const { changes } = connect({ connectTimeoutMs: 20 });
    await hub.nextConnection();
    await hub.nextConnection();
    expect(changes[0]?.error?.message).toContain('No welcome');
  });

  // A token service may accept the connection and never answer.
  it('asks for another token when getToken does not answer in time, and ignores a late answer', async () => {
    const pending: { signal: AbortSignal; answer: (token: string) => void }[] = [];
    const { client, changes } = connect({
      connectTimeoutMs: 20,
      getToken: ({ signal }) => new Promise((answer) => pending.push({ signal, answer })),
    });
    await waitFor(() => pending.length === 3);
    expect(client.state).toBe('connecting');
    expect(changes[0]?.error).toMatchObject({
      code: 'unauthorized',
      message: 'getToken did not answer within 20 ms',
    });
    expect(pending.map(({ signal }) => signal.aborted)).toEqual([true, true, false]);
    pending[0]?.answer('late');
    pending[2]?.answer('t3');
    const side = await hub.nextConnection();
    expect(side.offered[1]).toBe('bearer.t3');
    side.welcome();
    await client.ready();
    expect(hub.connectionCount).toBe(1);
  });

  it('ends the request for a token when it is closed', async () => {
    const signals: AbortSignal[] = [];
    const { client } = connect({
      getToken: ({ signal }) => {
        signals.push(signal);
        return new Promise(() => undefined);
      },
    });
    await client.close();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(hub.connectionCount).toBe(0);
  });

  it('ends an attempt that fails with an error alone, as with Node 22', async () => {
    let attempts = 0;
    class ErrorOnly {
      onmessage = null;
      onerror: ((event: object) => void) | null = null;
      onclose = null;
      constructor() {
        attempts += 1;
        queueMicrotask(() => this.onerror?.({}));
      }
      send() {}
      close() {
        this.onerror?.({});
      }
    }
    const { changes } = connect({ webSocket: ErrorOnly });
    await waitFor(() => changes.length >= 3);
    expect(changes[0]?.error?.message).toContain('cannot be reached');
    expect(attempts - changes.length).toBeLessThanOrEqual(1);
  });

  // A half-open TCP connection looks open to a browser's WebSocket, which only listens.
  it('pings a hub that is silent for a heartbeat, and reconnects when it does not answer', async () => {
    const { client } = connect();
    const first = await hub.nextConnection();
    first.welcome({ heartbeatMs: 100 });
    await client.ready();
    const ping = await first.nextCall('ping');
    first.answer(ping, { timestamp: 1 });
    await first.nextCall('ping');
    const second = await hub.nextConnection();
    second.welcome();
    await client.ready();
  });

  it.each([
    ['text that is not JSON', 'text'],
    ['null', 'null'],
    ['null in a batch', '[null]'],
    ['an event without params', '{"method":"event"}'],
    [
      'an envelope without an event',
      '{"method":"event","params":{"channelId":"dm_1","seq":1,"epoch":"e1"}}',
    ],
    ['a welcome without limits', '{"method":"welcome","params":{"direct":[]}}'],
    ['a reconnect without params', '{"method":"reconnect"}'],
    ['a notice without params', '{"method":"notice"}'],
    ['a notice without an event', '{"method":"notice","params":{"channelId":null}}'],
    ['an event without an event', '{"method":"event","params":{"channelId":null,"seq":null}}'],
    ['an error without a code or data', '{"id":1,"error":null}'],
  ])('is replaced after a malformed frame: %s', async (_what, text) => {
    const { client, changes } = connect();
    const heard: unknown[] = [];
    client.on('notice', (notice) => heard.push(notice));
    client.on('event', (event) => heard.push(event));
    const first = await hub.nextConnection();
    first.welcome();
    await client.ready();
    const call = client.call('read.state', {});
    const { id } = await first.nextCall('read.state');
    expect(id).toBe(1);
    first.sendText(text);
    const second = await hub.nextConnection();
    second.welcome();
    second.answer(await second.nextCall('read.state'), { channels: [] });
    expect(await call).toEqual({ channels: [] });
    expect(changes[1]?.error).toMatchObject({
      code: 'disconnected',
      message: 'A frame is malformed',
    });
    expect(heard).toEqual([]);
  });

  // The connection ends before it is live, so the limits of its welcome must not be kept.
  it('forgets the limits of a malformed welcome', async () => {
    const { client } = connect({ backoffMinMs: 60_000, backoffMaxMs: 60_000 });
    const side = await hub.nextConnection();
    side.sendText('{"method":"welcome","params":{"direct":[]}}');
    await side.closed;
    const channel = client.channel('hall');
    channel.subscribe().catch(() => undefined);
    await expect(channel.unsubscribe()).resolves.toBeUndefined();
  });

  it('closes at once, also while it waits for the next attempt', async () => {
    const { client, states } = connect({ backoffMinMs: 60_000, backoffMaxMs: 60_000 });
    (await hub.nextConnection()).terminate();
    await waitFor(() => states().length === 1);
    await client.close();
    await client.close();
    expect(states()).toEqual(['connecting', 'closed']);
    await expect(client.call('ping', {})).rejects.toMatchObject({ code: 'closed' });
  });
});

describe('backoffMs', () => {
  it('is random between zero and a bound that doubles with each failure up to the maximum', () => {
    const options = { backoffMinMs: 500, backoffMaxMs: 20_000 };
    const bounds = [0, 1, 2, 5, 6, 1000].map((failures) =>
      backoffMs(failures, { ...options, random: () => 0.999_999 }),
    );
    expect(bounds).toEqual([500, 1000, 2000, 16_000, 20_000, 20_000]);
    expect(backoffMs(5, { ...options, random: () => 0 })).toBe(0);
    expect(backoffMs(5, { ...options, random: () => 0.5 })).toBe(8000);
  });
});
