import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { connectRpc, startHub, waitFor } from '@openclaw/test-support';
import { pino } from 'pino';
import { admissionDefaults, createAdmission } from '../edge/admission.ts';
import { createFailedSignIns } from '../edge/failed-sign-ins.ts';
import { AuthError } from '../edge/identity.ts';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { identityOf } from '../testing/identity.ts';
import { noRedis, startTestHub, type TestHub } from '../testing/test-hub.ts';
import { createUpgradeHandler, type UpgradeOptions } from '../edge/upgrade.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Sends an upgrade request, never answers the hub, and keeps its side of the connection open. */
interface RawClient {
  readonly socket: Socket;
  received(): string;
  /** Resolves with all received bytes once the other side has ended. */
  readonly ended: Promise<string>;
}

const offering = { 'Sec-WebSocket-Protocol': 'openclaw.v1' };

function upgradeRaw(
  port: number,
  target = '/v1/ws',
  headers: Readonly<Record<string, string>> = {},
): RawClient {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  cleanups.push(() => socket.destroy());
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  const lines = Object.entries({
    Host: `127.0.0.1:${port}`,
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`GET ${target} HTTP/1.1\r\n${lines.join('')}\r\n`);
  const ended = Promise.race([once(socket, 'end'), once(socket, 'close')]).then(() => received);
  return { socket, received: () => received, ended };
}

const isAlive = (port: number) =>
  fetch(`http://127.0.0.1:${port}/healthz`).then(
    (response) => response.ok,
    () => false,
  );

async function devHub(): Promise<TestHub & { port: number }> {
  const hub = await startTestHub(noRedis);
  return Object.assign(hub, { port: Number(new URL(hub.url).port) });
}

const ana = identityOf('ana');

async function upgradesOnly(
  options: Partial<UpgradeOptions>,
): Promise<{ port: number; refused: number[] }> {
  const refused: number[] = [];
  const server: Server = createServer();
  server.on(
    'upgrade',
    createUpgradeHandler({
      authenticate: async () => ana,
      originPolicy: () => null,
      remoteAddress: ({ socket }) => socket.remoteAddress ?? '',
      failedSignIns: createFailedSignIns(),
      admission: { admit: () => ({ afterMs: null }) },
      fullForMs: () => null,
      onAccepted: ({ ws }) => ws.close(1000, 'accepted'),
      onRefused: (status) => refused.push(status),
      log: pino({ level: 'silent' }),
      ...options,
    }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return { port: (server.address() as AddressInfo).port, refused };
}

// The hub runs in its own process, so that a crash would be seen.
const hub = closeAfterAll(await startHub({ env: noRedis }));
const port = Number(new URL(hub.httpUrl).port);

describe('the input of an unauthenticated client', () => {
  it.each(['//', '//?agent=ana', 'http://[', '/%', '/v1/ws%', '/v1/ws/'])(
    'with the request target %s gets 404, and the hub stays alive',
    async (target) => {
      expect(await upgradeRaw(port, target).ended).toMatch(/^HTTP\/1\.1 404 /);
      expect(await isAlive(port)).toBe(true);
    },
  );

  it('has its request id in the answer, whether it is refused by a status or by a close code', async () => {
    const mine = { 'X-Request-Id': 'mine-1' };
    expect(await upgradeRaw(port, '/', mine).ended).toMatch(/\r\nx-request-id: mine-1\r\n/i);
    const offered = upgradeRaw(port, '/v1/ws', { ...offering, ...mine });
    await waitFor(() => offered.received().includes('101 Switching Protocols'));
    expect(offered.received()).toMatch(/\r\nx-request-id: mine-1\r\n/i);
    const bad = upgradeRaw(port, '/', { 'X-Request-Id': 'a\tb' });
    expect(await bad.ended).toMatch(/\r\nx-request-id: [\da-f-]{36}\r\n/i);
  });

  it('with a broken frame after its refusal ends that socket only', async () => {
    const stranger = upgradeRaw(port, '/v1/ws', offering);
    await waitFor(() => stranger.received().includes('101 Switching Protocols'));
    // A frame with all reserved bits makes the WebSocket emit an error, which needs a listener.
    stranger.socket.write(Buffer.from([0xff, 0x01, 0x00]));
    await stranger.ended;
    expect(await isAlive(port)).toBe(true);
  });
});

describe('a refused upgrade', () => {
  it('is destroyed after two seconds if the client does not answer the close', async () => {
    await using hub = await devHub();
    const startMs = Date.now();
    const silent = upgradeRaw(hub.port, '/v1/ws', offering);
    await silent.ended;
    expect(silent.received()).toContain('\x11\x31'); // Close code 4401.
    expect(Date.now() - startMs).toBeGreaterThan(1_000);
    expect(Date.now() - startMs).toBeLessThan(5_000);
  });

  it('by status is closed, though the client keeps its side open', async () => {
    const { port } = await upgradesOnly({
      authenticate: () => Promise.reject(new AuthError('unauthorized', 'no')),
    });
    const client = upgradeRaw(port);
    expect(await client.ended).toMatch(/^HTTP\/1\.1 401 [^]*"no"/);
    // Only a destroyed socket answers the next byte with a reset.
    await waitFor(() => {
      client.socket.write('x');
      return client.socket.destroyed;
    });
  });

  it.each<[string, Partial<UpgradeOptions>]>([
    ['the gate', { originPolicy: () => fault() }],
    ['the room', { fullForMs: () => fault() }],
    ['the welcome', { onAccepted: () => fault() }],
    [
      'the metric',
      { authenticate: () => Promise.reject(new Error('x')), onRefused: () => fault() },
    ],
  ])('a fault in %s ends only that socket', async (_part, options) => {
    const { port } = await upgradesOnly(options);
    await upgradeRaw(port, '/v1/ws', offering).ended;
    await upgradeRaw(port, '/v1/ws', offering).ended;
  });
});

function fault(): never {
  throw new Error('a fault');
}

describe('authentication and admission', () => {
  it('give each of many clients a time to reconnect, and admit it then', async () => {
    // On a busy machine, a client may come back late. A burst of five tolerates a delay of 0.4 s.
    const admission = createAdmission({ ...admissionDefaults, perSecond: 5, burst: 5 });
    for (const earlier of ['dan', 'eva', 'flo', 'gus']) admission.admit(earlier);
    const { port, refused } = await upgradesOnly({
      admission,
      authenticate: ({ devAgent }) => Promise.resolve({ ...ana, agentId: devAgent ?? '' }),
    });
    const first = upgradeRaw(port, '/v1/ws?agent=ana', offering);
    await waitFor(() => first.received().includes('accepted'));
    const byCode = upgradeRaw(port, '/v1/ws?agent=ben', offering);
    await waitFor(() => byCode.received().includes('"afterMs":'));
    const byStatus = await upgradeRaw(port, '/v1/ws?agent=cem').ended;
    expect(byStatus).toMatch(/^HTTP\/1\.1 503 [^]*Retry-After: 1\r\n/);
    expect(refused).toEqual([503, 503]);

    const afterMs = Number(/"afterMs":(\d+)/.exec(byCode.received())?.[1]);
    expect(afterMs).toBeLessThanOrEqual(200);
    const atMs = performance.now() + afterMs;
    await waitFor(() => performance.now() >= atMs);
    const back = upgradeRaw(port, '/v1/ws?agent=ben', offering);
    await waitFor(() => back.received().includes('accepted'));
  });

  it('reserve slots for verified agents only, by their verified ids', async () => {
    const names: string[] = [];
    const { port } = await upgradesOnly({
      admission: { admit: (name) => (names.push(name), { afterMs: null }) },
      authenticate: ({ devAgent }) =>
        devAgent === 'ana'
          ? Promise.resolve(ana)
          : Promise.reject(new AuthError('unauthorized', 'no')),
    });
    const proved = upgradeRaw(port, '/v1/ws?agent=ana', offering);
    await waitFor(() => proved.received().includes('accepted'));
    await upgradeRaw(port, '/v1/ws?agent=forger').ended;
    expect(names).toEqual(['ana']);
  });

  it('do not check a token from a blocked address, and give its client a time to reconnect', async () => {
    let asked = 0;
    const { port, refused } = await upgradesOnly({
      failedSignIns: createFailedSignIns({ burst: 3, perSecond: 0.001 }),
      authenticate: () => {
        asked += 1;
        return Promise.reject(new AuthError('unauthorized', 'no'));
      },
    });
    for (let i = 0; i < 3; i++) await upgradeRaw(port).ended;
    expect(await upgradeRaw(port).ended).toMatch(/^HTTP\/1\.1 429 [^]*Retry-After: \d+\r\n/);
    const byCode = upgradeRaw(port, '/v1/ws', offering);
    await waitFor(() => byCode.received().includes('"afterMs":'));
    expect({ asked, refused }).toEqual({ asked: 3, refused: [401, 401, 401, 429, 429] });
  });

  it('do not count failures of the key server or database for the address', async () => {
    const { port, refused } = await upgradesOnly({
      failedSignIns: createFailedSignIns({ burst: 1, perSecond: 0.001 }),
      authenticate: () => Promise.reject(new AuthError('unavailable', 'away')),
    });
    for (let i = 0; i < 3; i++) await upgradeRaw(port).ended;
    expect(refused).toEqual([503, 503, 503]);
  });

  it('reserve no slot for a foreign page, nor on a draining hub', async () => {
    const open = { admission: { admit: () => fault() } };
    const foreign = await upgradesOnly({
      ...open,
      originPolicy: () => 'this Origin is not allowed',
    });
    expect(await upgradeRaw(foreign.port).ended).toMatch(/^HTTP\/1\.1 403 /);
    const draining = await upgradesOnly({ ...open, fullForMs: () => 1_000 });
    expect(await upgradeRaw(draining.port).ended).toMatch(/^HTTP\/1\.1 503 /);
  });

  it('take at most maxAuthenticating sockets at a time, and give the next a time to reconnect', async () => {
    const admitted: (() => void)[] = [];
    const { port, refused } = await upgradesOnly({
      maxAuthenticating: 2,
      authenticate: () => new Promise((resolve) => admitted.push(() => resolve(ana))),
    });
    const first = upgradeRaw(port);
    const second = upgradeRaw(port);
    await waitFor(() => admitted.length === 2);
    const third = await upgradeRaw(port).ended;
    expect(third).toMatch(/^HTTP\/1\.1 503 [^]*Retry-After: \d/);
    expect(refused).toEqual([503]);
    for (const admit of admitted.splice(0)) admit();
    await waitFor(() => [first, second].every((client) => client.received().includes('accepted')));
    const fourth = upgradeRaw(port);
    await waitFor(() => admitted.length === 1);
    admitted[0]?.();
    await waitFor(() => fourth.received().includes('accepted'));
  });

  it('destroy a socket whose authentication takes too long, and free its slot', async () => {
    let isStuck = true;
    const { port } = await upgradesOnly({
      maxAuthenticating: 1,
      upgradeTimeoutMs: 100,
      authenticate: () => (isStuck ? new Promise(() => undefined) : Promise.resolve(ana)),
    });
    expect(await upgradeRaw(port).ended).toBe('');
    isStuck = false;
    const next = upgradeRaw(port);
    await waitFor(() => next.received().includes('accepted'));
  });

  it('refuse at most maxClosing clients at a time by a close code, the others by a status', async () => {
    const { port } = await upgradesOnly({
      maxClosing: 4,
      authenticate: () => Promise.reject(new AuthError('unauthorized', 'no')),
    });
    const first = upgradeRaw(port, '/v1/ws', offering);
    await waitFor(() => first.received().includes('\x11\x31'));
    expect(await upgradeRaw(port, '/v1/ws', offering).ended).toMatch(/^HTTP\/1\.1 401 /);
  });

  // The race: the drain closes every session while a client is still being authenticated. That client would delay the
  // end of the drain.
  it('refuse a client that was authenticated while the hub began to drain', async () => {
    let busyForMs: number | null = null;
    const admitted: (() => void)[] = [];
    const { port } = await upgradesOnly({
      fullForMs: () => busyForMs,
      authenticate: () => new Promise((resolve) => admitted.push(() => resolve(ana))),
    });
    const client = upgradeRaw(port, '/v1/ws', offering);
    await waitFor(() => admitted.length === 1);
    busyForMs = 1_500;
    admitted[0]?.();
    await waitFor(() => client.received().includes('{"afterMs":1500}'));
  });
});

describe('dev sign-in is for this machine', () => {
  // With DNS rebinding, a foreign host name resolves to this machine. For the browser, the foreign page and the hub
  // then have the same origin.
  it('refuses an upgrade whose Host is not loopback with 403', async () => {
    await using hub = await devHub();
    const open = (host: string) =>
      connectRpc(`${hub.wsUrl}?agent=ana`, {
        headers: { host, origin: `http://${host}` },
      });
    for (const host of [
      'evil.example.com',
      'localhost.evil.example.com:8080',
      '127.0.0.1.evil.com',
    ])
      await expect(open(host)).rejects.toThrow('403');
    for (const host of ['localhost', 'LOCALHOST:1', `127.0.0.1:${hub.port}`, '[::1]:8080'])
      await (await open(host)).close();
  });
});
