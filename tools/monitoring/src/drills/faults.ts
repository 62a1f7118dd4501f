import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** Ends a fault. It is called at the end of each drill, in case the runbook did not end the fault. */
export type Repair = () => unknown;

/** Each script takes `busyMs`. Ends when Redis closes the connection. */
export function startSlowScripts(port: number, auth: string, busyMs: number): Repair {
  const script =
    `local t=redis.call('TIME') local s=t[1]*1000000+t[2] ` +
    `repeat local n=redis.call('TIME') until n[1]*1000000+n[2]-s>${busyMs * 1_000} return 1`;
  const parts = ['EVAL', script, '0'];
  const command = `*3\r\n${parts.map((part) => `$${part.length}\r\n${part}\r\n`).join('')}`;
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  // Commands are sent ahead, so that Redis never waits for this program.
  socket.on('connect', () => socket.write(`AUTH ${auth}\r\n${command.repeat(4)}`));
  socket.on('data', (replies: Buffer) => {
    for (const byte of replies) if (byte === 0x3a) socket.write(command);
  });
  return () => socket.destroy();
}

export function startWriter(port: number, auth: string, valueBytes: number): Repair {
  const value = 'x'.repeat(valueBytes);
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  socket.write(`AUTH ${auth}\r\n`);
  let count = 0;
  const timer = setInterval(() => {
    for (let i = 0; i < 20; i += 1) socket.write(`SET fill:${(count += 1)} ${value} EX 600\r\n`);
  }, 50);
  return () => {
    clearInterval(timer);
    socket.destroy();
  };
}

/** Opens three connections at a time and closes them, so that some exceed a tight `maxclients`. */
export function startKnocking(port: number): Repair {
  const timer = setInterval(() => {
    const sockets = [1, 2, 3].map(() => connect({ port, host: '127.0.0.1' }));
    for (const socket of sockets) socket.on('error', () => undefined);
    setTimeout(() => sockets.forEach((socket) => socket.destroy()), 30);
  }, 400);
  return () => clearInterval(timer);
}

/**
 * Stops the process for most of the time, as if the machine had no free core. Ends when the process has restarted with
 * another pid.
 */
export function startStarving(pid: () => number): Repair {
  const starved = pid();
  let isEnding = false;
  const signal = (name: NodeJS.Signals) => {
    try {
      process.kill(starved, name);
    } catch {
      isEnding = true;
    }
  };
  void (async () => {
    while (!isEnding && pid() === starved) {
      signal('SIGSTOP');
      await delay(200);
      signal('SIGCONT');
      await delay(100);
    }
  })();
  return () => (isEnding = true);
}

/** Calls a hub far too often with this token, until the hub refuses the token. */
export function startLoopingAgent(httpUrl: string, token: string): Repair {
  const headers = { authorization: `Bearer ${token}` };
  let isEnding = false;
  const call = async () => {
    const response = await fetch(`${httpUrl}/v1/channels`, { headers });
    await response.text();
    if (response.status === 401) isEnding = true;
  };
  void (async () => {
    while (!isEnding) {
      const calls = Array.from({ length: 40 }, call);
      await Promise.allSettled([...calls, delay(200)]);
    }
  })();
  return () => (isEnding = true);
}

export async function openRedisConnections(port: number, count: number): Promise<Repair> {
  const sockets: Socket[] = [];
  for (let i = 0; i < count; i += 1) {
    const socket = connect({ port, host: '127.0.0.1' });
    sockets.push(socket);
    socket.on('error', () => undefined);
    await new Promise((resolve) => socket.once('connect', resolve));
  }
  return () => sockets.forEach((socket) => socket.destroy());
}

/** The sessions are idle and have no application name, like those that a program leaks. */
export async function openSessions(port: number, count: number): Promise<Repair> {
  const sockets: Socket[] = [];
  for (let i = 0; i < count; i += 1) {
    const socket = connect({ port, host: '127.0.0.1' });
    sockets.push(socket);
    socket.on('error', () => undefined);
    const params = 'user\0hub\0database\0hub\0\0';
    const startup = Buffer.alloc(8 + params.length);
    startup.writeInt32BE(startup.length, 0);
    startup.writeInt32BE(196_608, 4);
    startup.write(params, 8);
    socket.write(startup);
    await new Promise((resolve) => socket.once('data', resolve));
  }
  return () => sockets.forEach((socket) => socket.destroy());
}
