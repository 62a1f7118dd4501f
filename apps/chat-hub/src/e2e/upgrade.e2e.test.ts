import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { connectRpc, startHub, waitFor } from '@openclaw/test-support';
import { pino } from 'pino';
import { admissionDefaults, createAdmission } from '../edge/admission.ts';
import { createFailedSignIns } from '../edge/failed-sign-ins.ts';
import { AuthError, type Identity } from '../edge/identity.ts';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { noRedis, startTestHub, type TestHub } from '../testing/test-hub.ts';
import { createUpgradeHandler, type UpgradeOptions } from '../edge/upgrade.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A client that sends what it is told, answers nothing, and keeps its side open. */
interface RawClient {
  readonly socket: Socket;
  /** What came, byte for byte. */
  received(): string;
  /** Resolves with what came once the other side has ended. */
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

const ana: Identity = {
  agentId: 'ana',
  isAdmin: false,
  channels: null,
  jti: null,
  issuedAtMs: null,
  expiresAtMs: null,
};

/** The upgrade handler alone, over a bare HTTP server. */
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

// In its own process, so that a crash would be seen.
const hub = closeAfterAll(await startHub({ env: noRedis }));
const port = Number(new URL(hub.httpUrl).port);

describe('what a stranger sends to a hub', () => {
  it.each(['//', '//?agent=ana', 'http://[', '/%', '/v1/ws%', '/v1/ws/'])(
    'a request target such as %s gets 404, and the hub lives on',
    async (target) => {
      expect(await upgradeRaw(port, target).ended).toMatch(/^HTTP\/1\.1 404 /);
      expect(await isAlive(port)).toBe(true);
    },
  );

  it('the broken frame of a refused client ends that socket alone', async () => {
    const stranger = upgradeRaw(port, '/v1/ws', offering);
    await waitFor(() => stranger.received().includes('101 Switching Protocols'));
    // A frame with all reserved bits set: the WebSocket emits an error, which somebody must listen to.
    stranger.socket.write(Buffer.from([0xff, 0x01, 0x00]));
    await stranger.ended;
    expect(await isAlive(port)).toBe(true);
  });
});

describe('refusing an upgrade', () => {
  it('a refused client that does not answer the close is cut after two seconds', async () => {
    await using hub = await devHub();
    const startMs = Date.now();
    const silent = upgradeRaw(hub.port, '/v1/ws', offering);
    await silent.ended;
    expect(silent.received()).toContain('\x11\x31'); // 4401
    expect(Date.now() - startMs).toBeGreaterThan(1_000);
    expect(Date.now() - startMs).toBeLessThan(5_000);
  });

  it('a client refused by status is let go, though it keeps its own side open', async () => {
    const { port } = await upgradesOnly({
      authenticate: () => Promise.reject(new AuthError('unauthorized', 'no')),
    });
    const client = upgradeRaw(port);
    expect(await client.ended).toMatch(/^HTTP\/1\.1 401 [^]*"no"/);
    // Only a socket that is gone for good answers the next byte with a reset.
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
  ])('a fault in %s ends that socket alone', async (_part, options) => {
    const { port } = await upgradesOnly(options);
    await upgradeRaw(port, '/v1/ws', offering).ended;
    await upgradeRaw(port, '/v1/ws', offering).ended;
  });
});

function fault(): never {
  throw new Error('a fault');
}

describe('waiting for admission', () => {
  it('a client that comes when many do is told when to come back, and is let in then', async () => {
    const { port, refused } = await upgradesOnly({
      admission: createAdmission({ ...admissionDefaults, perSecond: 5, burst: 1 }),
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

  it('a forged token takes no place: admission is asked for verified agents only, by their verified ids', async () => {
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

  it('a token from an address that failed too often is not looked at, and its client is told when it will be', async () => {
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

  it('a key server or database that is away is not held against the address', async () => {
    const { port, refused } = await upgradesOnly({
      failedSignIns: createFailedSignIns({ burst: 1, perSecond: 0.001 }),
      authenticate: () => Promise.reject(new AuthError('unavailable', 'away')),
    });
    for (let i = 0; i < 3; i++) await upgradeRaw(port).ended;
    expect(refused).toEqual([503, 503, 503]);
  });

  it('a foreign page and a draining hub take no place of the admission', async () => {
    const open = { admission: { admit: () => fault() } };
    const foreign = await upgradesOnly({
      ...open,
      originPolicy: () => 'this Origin is not allowed',
    });
    expect(await upgradeRaw(foreign.port).ended).toMatch(/^HTTP\/1\.1 403 /);
    const draining = await upgradesOnly({ ...open, fullForMs: () => 1_000 });
    expect(await upgradeRaw(draining.port).ended).toMatch(/^HTTP\/1\.1 503 /);
  });

  it('no more sockets wait than may; the next is told when to come back', async () => {
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

  it('a socket whose identity is not had in time is cut, and its place is free again', async () => {
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

  it('of many refused clients only so many are told by a close code, the others by a status', async () => {
    const { port } = await upgradesOnly({
      maxClosing: 4,
      authenticate: () => Promise.reject(new AuthError('unauthorized', 'no')),
    });
    const first = upgradeRaw(port, '/v1/ws', offering);
    await waitFor(() => first.received().includes('\x11\x31'));
    expect(await upgradeRaw(port, '/v1/ws', offering).ended).toMatch(/^HTTP\/1\.1 401 /);
  });

  // The race: the drain sends every session away, and a client proving itself just then would come in after it and
  // hold the hub's end up. Invariant: nobody is accepted once the hub is busy.
  it('a client that proved itself while the hub began to drain is sent away', async () => {
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
  // A foreign name that resolves to this machine (DNS rebinding) is the same origin to the browser that shows its page.
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
