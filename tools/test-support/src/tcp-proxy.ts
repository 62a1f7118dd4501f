import { connect, createServer, type Socket } from 'node:net';

export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  readonly connections: number;
  readonly accepted: number;
  /** Passes nothing in either direction. Connections stay open, and new ones are accepted. */
  stall(): void;
  /** Passes only what clients send, and holds back the answers. */
  stallReplies(): void;
  /** Passes everything again, including what was held back on open connections. */
  resume(): void;
  /** New connections work. Open connections stay open, but pass nothing, as after the loss of a route. */
  abandon(): void;
  /** Destroys all connections. What was held back is lost. */
  cut(): void;
  stop(): Promise<void>;
}

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const pairs = new Set<readonly [client: Socket, upstream: Socket]>();
  let accepted = 0;
  let passes = { forth: true, back: true };

  const abandoned = new Set<Socket>();

  const apply = ([client, upstream]: readonly [Socket, Socket]) => {
    if (abandoned.has(client)) return;
    if (passes.forth) client.resume();
    else client.pause();
    if (passes.back) upstream.resume();
    else upstream.pause();
  };
  const set = (next: typeof passes) => {
    passes = next;
    pairs.forEach(apply);
  };

  const proxy = createServer((client) => {
    const upstream = connect(targetPort, '127.0.0.1');
    const pair = [client, upstream] as const;
    accepted += 1;
    pairs.add(pair);
    for (const [from, to] of [pair, [upstream, client] as const]) {
      from.on('data', (chunk) => to.write(chunk));
      from.on('error', () => undefined);
      from.on('close', () => {
        to.destroy();
        pairs.delete(pair);
      });
    }
    apply(pair);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy got no port');
  const cut = () => {
    for (const [client, upstream] of pairs) {
      client.destroy();
      upstream.destroy();
    }
  };

  async function stop() {
    cut();
    await new Promise((resolve) => proxy.close(resolve));
  }

  return {
    port: address.port,
    get connections() {
      return pairs.size;
    },
    get accepted() {
      return accepted;
    },
    stall: () => set({ forth: false, back: false }),
    stallReplies: () => set({ forth: true, back: false }),
    resume: () => set({ forth: true, back: true }),
    abandon() {
      for (const [client] of pairs) abandoned.add(client);
      set({ forth: true, back: true });
    },
    cut,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
