import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { freePort, hasOpenssl, temporaryFolder } from '@openclaw/test-support';
import { suiteScope } from '@openclaw/test-support/scopes';
import { WebSocketServer } from 'ws';
import { createPlan } from '../plan/create-plan.ts';
import type { TlsSettings } from '../plan/plan.ts';
import { scenarios } from '../plan/scenarios.ts';
import { probeHubs } from './probe.ts';

const scope = suiteScope();
const servers: Server[] = [];
afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function listen(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The server answers every request with this status, including a request to upgrade. */
function answering(status: number): Promise<string> {
  const answer: RequestListener = (_, response) => {
    response.statusCode = status;
    response.end();
  };
  return listen(createServer(answer));
}

function greet(server: Server, path?: string): Promise<string> {
  const sockets = new WebSocketServer({ server, ...(path !== undefined && { path }) });
  sockets.on('connection', (socket) => socket.send('{"method":"welcome"}'));
  return listen(server);
}

const noTls: TlsSettings = { ca: null, isInsecure: false };

async function probed(url: string, tls = noTls): Promise<string> {
  try {
    await probeHubs(createPlan(scenarios.hall, [url], tls), { kind: 'dev' });
    return 'connected';
  } catch (error) {
    return String(error);
  }
}

describe('a run that cannot begin', () => {
  it('says that no server listens', async () => {
    expect(await probed(`ws://127.0.0.1:${await freePort()}`)).toMatch(
      /the connection was refused: no server listens at 127\.0\.0\.1:\d+/,
    );
  });

  it('says that there is no such host', async () => {
    expect(await probed('ws://no-such-host.invalid')).toContain(
      'there is no host named no-such-host.invalid',
    );
  });

  it.each([
    [401, 'HTTP 401: it refused the sign-in. Give --token-secret-env or --token'],
    [404, 'HTTP 404: it has no WebSocket at this path'],
    [503, 'HTTP 503: it is not ready or full'],
    [200, 'HTTP 200: it did not upgrade to a WebSocket'],
  ])('says what HTTP %i means', async (status, text) => {
    expect(await probed(`ws://${await answering(status)}`)).toContain(text);
  });

  it('names the second of two hubs, when only that one is away', async () => {
    const first = `ws://${await greet(createServer())}`;
    const second = `ws://127.0.0.1:${await freePort()}`;
    const plan = createPlan(scenarios.hall, [first, second], noTls);
    await expect(probeHubs(plan, { kind: 'dev' })).rejects.toThrow(`No run against ${second}`);
  });

  it('does not begin for a hub below a path only if the address lacks the path or its last slash', async () => {
    const address = await greet(createServer(), '/chat/v1/ws');
    expect(await probed(`ws://${address}/chat/`)).toBe('connected');
    expect(await probed(`ws://${address}`)).toContain('HTTP 400');
  });

  it('says that a server does not speak TLS', async () => {
    const address = await greet(createServer());
    expect(await probed(`ws://${address}`)).toBe('connected');
    expect(await probed(`wss://${address}`)).toContain('does not speak TLS; use ws://');
  });
});

const title = 'a hub whose certificate is not trusted (needs openssl)';
(hasOpenssl() ? describe : describe.skip)(title, () => {
  it('is refused with the remedy, accepted with its authority, and accepted with --insecure', async () => {
    const folder = await scope.use(temporaryFolder('loadgen-tls'));
    const keyFile = join(folder.path, 'key.pem');
    const certificateFile = join(folder.path, 'cert.pem');
    const request = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2';
    const subject = '-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1';
    const files = ['-keyout', keyFile, '-out', certificateFile];
    execFileSync('openssl', [...`${request} ${subject}`.split(' '), ...files], { stdio: 'pipe' });
    const ca = readFileSync(certificateFile, 'utf8');
    const server = createTlsServer({ key: readFileSync(keyFile), cert: ca });
    const url = `wss://${await greet(server)}`;

    const refused = await probed(url);
    expect(refused).toContain('its certificate is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT');
    expect(refused).toContain('Give --ca FILE');
    expect(await probed(url, { ca, isInsecure: false })).toBe('connected');
    expect(await probed(url, { ca: null, isInsecure: true })).toBe('connected');
    // A server with TLS closes a connection without TLS and gives no reason.
    expect(await probed(url.replace('wss:', 'ws:'))).toMatch(/needs wss:\/\/|HTTP 400/);
  });
});
