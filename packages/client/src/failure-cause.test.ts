import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { createServer as createTlsServer } from 'node:https';
import { readFileSync } from 'node:fs';
import type { AddressInfo, Server as AnyServer } from 'node:net';
import { afterAll, describe, expect, it } from '@jest/globals';
import { createCertificate, freePort, temporaryFolder, waitFor } from '@openclaw/test-support';
import { WebSocket as WsWebSocket } from 'ws';
import { createClient } from './client.ts';
import type { HubError } from './errors.ts';
import type { ClientOptions } from './options.ts';

const endings: (() => unknown)[] = [];
afterAll(async () => {
  for (const end of endings.reverse()) await end();
});

async function listen<S extends AnyServer>(server: S): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endings.push(() => {
    server.close();
    (server as unknown as Partial<Server>).closeAllConnections?.();
  });
  return (server.address() as AddressInfo).port;
}

async function firstError(url: string, options: Partial<ClientOptions>): Promise<HubError> {
  const client = createClient({ url, token: 'x', backoffMinMs: 60_000, ...options });
  try {
    return await new Promise((resolve) => {
      client.on('state', ({ error }) => error !== null && resolve(error));
    });
  } finally {
    await client.close();
  }
}

const answering = (status: number) =>
  listen(createServer((_request, response) => response.writeHead(status).end()));

async function privateTls(): Promise<number> {
  const folder = await temporaryFolder('tls');
  endings.push(() => folder.remove());
  const { keyFile, certificateFile } = createCertificate(folder.path);
  const files = { key: readFileSync(keyFile), cert: readFileSync(certificateFile) };
  return listen(createTlsServer(files) as unknown as Server);
}

async function hangingUp(): Promise<number> {
  return listen(createTcpServer((socket) => socket.once('data', () => socket.resetAndDestroy())));
}

describe.each([
  ['Node’s own WebSocket', {}],
  [
    'the ws package',
    { webSocket: WsWebSocket as unknown as NonNullable<ClientOptions['webSocket']> },
  ],
])('a failed attempt to connect with %s', (_name, options) => {
  const causes: [string, () => Promise<string>, RegExp, string][] = [
    [
      'a closed port',
      async () => `ws://127.0.0.1:${await freePort()}`,
      /no server listens at 127\.0\.0\.1:\d+ \(ECONNREFUSED\)/,
      'disconnected',
    ],
    [
      'a closed port of several addresses',
      async () => `ws://localhost:${await freePort()}`,
      /no server listens at localhost:\d+ \(ECONNREFUSED\)/,
      'disconnected',
    ],
    [
      'a wrong name',
      async () => 'ws://hub.invalid',
      /there is no host of the name hub\.invalid|the name hub\.invalid cannot be looked up/,
      'disconnected',
    ],
    [
      'a private certificate',
      async () => `wss://127.0.0.1:${await privateTls()}`,
      /certificate is not trusted: .*NODE_EXTRA_CA_CERTS/,
      'disconnected',
    ],
    [
      'a port without TLS',
      async () => `wss://127.0.0.1:${await answering(200)}`,
      /does not speak TLS; .* ws:\/\//,
      'disconnected',
    ],
    [
      'a refused sign-in',
      async () => `ws://127.0.0.1:${await answering(401)}`,
      /the sign-in was refused \(HTTP 401\)/,
      'unauthorized',
    ],
    [
      'a refused origin',
      async () => `ws://127.0.0.1:${await answering(403)}`,
      /HTTP 403/,
      'disconnected',
    ],
    [
      'another path',
      async () => `ws://127.0.0.1:${await answering(404)}/chat`,
      /no WebSocket at this path .*HTTP 404/,
      'disconnected',
    ],
    [
      'an upgrade that a proxy drops',
      async () => `ws://127.0.0.1:${await answering(426)}`,
      /there was no upgrade .*Upgrade and Connection \(HTTP 426\)/,
      'disconnected',
    ],
    [
      'a proxy without its hub',
      async () => `ws://127.0.0.1:${await answering(502)}`,
      /the proxy does not reach the hub \(HTTP 502\)/,
      'disconnected',
    ],
    [
      'a server that hangs up',
      async () => `ws://127.0.0.1:${await hangingUp()}`,
      /closed the connection before it answered/,
      'disconnected',
    ],
  ];
  it.each(causes)('names the cause: %s', async (_what, urlOf, sentence, code) => {
    const error = await firstError(await urlOf(), options);
    expect(error.message).toMatch(/^The hub cannot be reached: /);
    expect(error.message).toMatch(sentence);
    expect(error.message).not.toContain('1006');
    expect(error.code).toBe(code);
  });

  it('goes on trying', async () => {
    const port = await answering(502);
    const errors: string[] = [];
    const client = createClient({
      ...{ url: `ws://127.0.0.1:${port}`, token: 'x', backoffMinMs: 1, backoffMaxMs: 1 },
      ...options,
    });
    client.on('state', ({ error }) => error !== null && errors.push(error.message));
    await waitFor(() => errors.length >= 3);
    expect(client.state).toBe('connecting');
    expect(new Set(errors).size).toBe(1);
    await client.close();
  });
});

describe('the cause of a failed attempt', () => {
  it('is not taken from an attempt at another address', async () => {
    const [wrong, right] = [await answering(401), await freePort()];
    const [first, second] = await Promise.all([
      firstError(`ws://127.0.0.1:${wrong}`, {}),
      firstError(`ws://127.0.0.1:${right}`, {}),
    ]);
    expect(first.message).toContain('HTTP 401');
    expect(second.message).toContain('ECONNREFUSED');
  });
});
