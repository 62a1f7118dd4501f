import { readFile } from 'node:fs/promises';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { freePort } from '@openclaw/test-support';

/** The page at an origin of its own, with the hub's paths behind it: as behind a proxy that serves the page. */
export interface PageServer {
  readonly url: string;
  close(): Promise<void>;
}

/** As strict as the hub's own. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  ...["script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'"],
  ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
].join('; ');

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const ofTheHub = /^\/(v1\/|readyz|healthz)/;

/** Serves `folder`, and hands what is the hub's to the hub at `hubPort`, as long as it is there. */
export async function startPageServer(folder: string, hubPort: number): Promise<PageServer> {
  const port = await freePort();
  const sockets = new Set<Socket>();
  const hostOfHub = `127.0.0.1:${hubPort}`;

  function passOn(incoming: IncomingMessage, outgoing: ServerResponse) {
    const headers = { ...incoming.headers, host: hostOfHub };
    const target = {
      port: hubPort,
      host: '127.0.0.1',
      path: incoming.url,
      method: incoming.method,
    };
    const passed = request({ ...target, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    passed.on('error', () => outgoing.writeHead(502).end());
    incoming.pipe(passed);
  }

  async function sendFile(path: string, outgoing: ServerResponse) {
    const file = join(folder, normalize(path === '/' ? '/index.html' : path));
    try {
      const body = await readFile(file);
      outgoing.writeHead(200, {
        'content-type': types[extname(file)] ?? 'application/octet-stream',
        'content-security-policy': contentSecurityPolicy,
        'x-content-type-options': 'nosniff',
      });
      outgoing.end(body);
    } catch {
      outgoing.writeHead(404).end();
    }
  }

  const server = createServer((incoming, outgoing) => {
    const { pathname } = new URL(incoming.url ?? '/', 'http://page');
    if (ofTheHub.test(pathname)) passOn(incoming, outgoing);
    else void sendFile(pathname, outgoing);
  });
  server.on('upgrade', (incoming: IncomingMessage, socket: Socket) => {
    const hub = connect(hubPort, '127.0.0.1', () => {
      const headers = { ...incoming.headers, host: hostOfHub };
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}`);
      hub.write(`GET ${incoming.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      socket.pipe(hub).pipe(socket);
    });
    for (const end of [hub, socket]) {
      sockets.add(end);
      end.on('close', () => {
        sockets.delete(end);
        hub.destroy();
        socket.destroy();
      });
      end.on('error', () => end.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
