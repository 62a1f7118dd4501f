import { connect } from 'node:net';
import {
  freePort,
  startProcess,
  temporaryFolder,
  waitFor,
  type ServerProcess,
} from './processes.ts';

/** A real redis-server of its own, on a free loopback port. */
export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly pid: number;
  /** Sends one inline command on a fresh connection and resolves with the raw reply's text. */
  command(line: string): Promise<string>;
  /** SIGKILL: as a crash. Connections break; the port refuses until {@link RedisServer.restart}. */
  kill(): Promise<void>;
  /** Starts it again on the same port and folder. Without persistence it comes back empty. */
  restart(): Promise<void>;
  /** SIGSTOP: connections stay open, nothing answers. */
  freeze(): void;
  /** SIGCONT. */
  thaw(): void;
  stop(): Promise<void>;
}

/** Options of {@link startRedis}. */
export interface RedisServerOptions {
  /** Further redis-server arguments, such as `['--maxmemory', '10mb']`. */
  readonly args?: readonly string[];
  /** A fixed port instead of a free one. */
  readonly port?: number;
  /** Used to authenticate {@link RedisServer.command} when the server asks for it. */
  readonly password?: string;
}

/** Sends one inline command over TCP; resolves with what came back within `quietMs` of silence. */
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
      // A sentinel has no QUIT: its complaint marks the end as well as the goodbye of a server does.
      const complaint = reply.search(/-ERR unknown command 'QUIT'[^\n]*\n$/);
      if (complaint < 0) return;
      reply = reply.slice(0, complaint);
      socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(reply.replace(/\+OK\r\n$/, '').trim()));
  });
}

/** Starts redis-server and waits until it answers. */
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
