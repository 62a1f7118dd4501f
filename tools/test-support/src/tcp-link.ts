import { connect, createServer, type Socket } from 'node:net';

export interface TcpLink extends AsyncDisposable {
  readonly port: number;
  readonly connections: number;
  /** Delays every byte, in both directions. */
  delay(ms: number): void;
  /** Holds all bytes back until {@link TcpLink.heal}. Connections stay open, and new ones are accepted. */
  stall(): void;
  /** Drops every byte silently. Connections stay open, and new ones are accepted. */
  swallow(): void;
  /** Destroys all connections and resets new ones, like a closed port. */
  refuse(): void;
  /** Destroys all connections. New ones are accepted. */
  drop(): void;
  /** Ends every disturbance. Destroys connections that lost bytes, because their streams are incomplete. */
  heal(): void;
  stop(): Promise<void>;
}

interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
  isBroken: boolean;
}

/** The link does not read from a sender while more bytes than this are in flight. */
const inFlightMax = 1_048_576;

export async function startTcpLink(targetPort: number): Promise<TcpLink> {
  const pairs = new Set<Pair>();
  let delayMs = 0;
  let isSwallowing = false;
  let isRefusing = false;
  let isStalled = false;

  function pipe(from: Socket, to: Socket, pair: Pair) {
    let inFlight = 0;
    let lastDueMs = 0;
    const pass = (chunk: Buffer) => {
      inFlight -= chunk.length;
      if (!to.destroyed && !isSwallowing) to.write(chunk);
      if (isSwallowing) pair.isBroken = true;
      if (from.isPaused() && !isStalled && inFlight < inFlightMax) from.resume();
    };
    from.on('data', (chunk) => {
      inFlight += chunk.length;
      // Bytes must keep their order, even if the delay gets shorter.
      const dueMs = Math.max(performance.now() + delayMs, lastDueMs);
      lastDueMs = dueMs;
      const waitMs = dueMs - performance.now();
      if (waitMs <= 0 && inFlight === chunk.length) return pass(chunk);
      queue.push({ chunk, dueMs });
      if (inFlight >= inFlightMax) from.pause();
      arm();
    });
    const queue: { readonly chunk: Buffer; readonly dueMs: number }[] = [];
    let timer: NodeJS.Timeout | undefined;
    function arm() {
      const [first] = queue;
      if (timer !== undefined || first === undefined) return;
      timer = setTimeout(
        () => {
          timer = undefined;
          while (queue[0] !== undefined && queue[0].dueMs <= performance.now())
            pass((queue.shift() as (typeof queue)[number]).chunk);
          arm();
        },
        Math.max(0, first.dueMs - performance.now()),
      );
    }
    from.on('close', () => {
      clearTimeout(timer);
      timer = undefined;
      queue.length = 0;
    });
  }

  const server = createServer((client) => {
    if (isRefusing) {
      client.on('error', () => undefined);
      client.resetAndDestroy();
      return;
    }
    client.setNoDelay(true);
    const upstream = connect({ port: targetPort, host: '127.0.0.1', noDelay: true });
    const pair: Pair = { client, upstream, isBroken: false };
    pairs.add(pair);
    pipe(client, upstream, pair);
    pipe(upstream, client, pair);
    if (isStalled) hold(pair);
    const end = () => {
      // While bytes are dropped, the other side does not learn of the end either.
      if (isSwallowing) pair.isBroken = true;
      else destroy(pair);
    };
    for (const side of [client, upstream]) {
      side.on('error', () => undefined);
      side.on('close', end);
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the link got no port');

  function destroy(pair: Pair) {
    pairs.delete(pair);
    pair.client.destroy();
    pair.upstream.destroy();
  }
  function hold({ client, upstream }: Pair) {
    client.pause();
    upstream.pause();
  }
  const drop = () => {
    for (const pair of [...pairs]) destroy(pair);
  };

  async function stop() {
    isSwallowing = false;
    drop();
    await new Promise((resolve) => server.close(resolve));
  }

  return {
    port: address.port,
    get connections() {
      return pairs.size;
    },
    delay: (ms) => void (delayMs = ms),
    stall() {
      isStalled = true;
      pairs.forEach(hold);
    },
    swallow: () => void (isSwallowing = true),
    refuse() {
      isRefusing = true;
      drop();
    },
    drop,
    heal() {
      delayMs = 0;
      isRefusing = false;
      isSwallowing = false;
      isStalled = false;
      for (const pair of [...pairs]) {
        if (pair.isBroken) destroy(pair);
        pair.client.resume();
        pair.upstream.resume();
      }
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
