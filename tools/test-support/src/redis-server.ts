import { connect } from 'node:net';
import {
  freePort,
  startProcess,
  temporaryFolder,
  waitFor,
  type ServerProcess,
} from './processes.ts';

export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly pid: number;
  /** Sends one inline command on a new connection and resolves with the raw reply. */
  command(line: string): Promise<string>;
  /** Sends SIGKILL. The port refuses connections until {@link RedisServer.restart}. */
  kill(): Promise<void>;
  /** Uses the same port and folder. The server is empty unless persistence is configured. */
  restart(): Promise<void>;
  /** SIGSTOP: connections stay open and get no answer. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

export interface RedisServerOptions {
  readonly args?: readonly string[];
  /** @default a free port */
  readonly port?: number;
  /** Authenticates {@link RedisServer.command}. */
  readonly password?: string;
}

export function redisCommand(port: number, line: string, password?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let reply = '';
    socket.setTimeout(1000, () =>
      socket.destroy(new Error(`redis on ${port} did not answer "${line}"`)),
    );
    socket.on('connect', () => {
      socket.write(`${password ? `AUTH ${password}\r\n` : ''}${line}\r\nQUIT\r\n`);
    });
    socket.on('data', (chunk) => {
      reply += chunk.toString();
      // A sentinel does not know QUIT and keeps the connection open, so its error marks the end of the reply.
      const quitError = reply.search(/-ERR unknown command 'QUIT'[^\n]*\n$/);
      if (quitError < 0) return;
      reply = reply.slice(0, quitError);
      socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(reply.replace(/\+OK\r\n$/, '').trim()));
  });
}

export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const port = options.port ?? (await freePort());
  const folder = await temporaryFolder('redis');
  let server: ServerProcess;

  async function start() {
    server = startProcess('redis-server', [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--dir',
      folder.path,
      '--save',
      '',
      '--appendonly',
      'no',
      '--daemonize',
      'no',
      ...(options.args ?? []),
    ]);
    await waitFor(
      async () => {
        const answer = await redisCommand(port, 'PING', options.password).catch(() => '');
        return /PONG|NOAUTH|NOPERM/.test(answer);
      },
      { what: `redis-server on ${port}`, timeoutMs: 15_000 },
    );
  }

  await start();
  async function stop() {
    await server.stop('SIGKILL');
    await folder.remove();
  }

  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    get pid() {
      return server.pid;
    },
    command: (line) => redisCommand(port, line, options.password),
    kill: () => server.stop('SIGKILL'),
    restart: start,
    freeze: () => server.signal('SIGSTOP'),
    thaw: () => server.signal('SIGCONT'),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
