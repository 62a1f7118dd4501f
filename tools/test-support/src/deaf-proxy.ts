import { connect, createServer, type Socket } from 'node:net';

/** Can withhold published messages of Redis while every command is still answered. */
export interface DeafProxy extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** Existing connections get no published messages from now on. */
  deafen(): void;
  /** Existing connections, and new ones until {@link DeafProxy.heal}, get no published messages from now on. */
  deafenAll(): void;
  /** From now on, new connections get published messages again. */
  heal(): void;
  readonly swallowed: number;
  readonly accepted: number;
  stop(): Promise<void>;
}

const lineTypes = '+-:_#,(';
const bulkTypes = '$=!';

/** Returns -1 while the RESP value at `start` is incomplete. */
function endOfValue(data: Buffer, start: number): number {
  const lineEnd = data.indexOf('\r\n', start);
  if (lineEnd < 0) return -1;
  const type = String.fromCharCode(data[start] ?? 0);
  let end = lineEnd + 2;
  if (lineTypes.includes(type)) return end;
  const count = Number(data.toString('latin1', start + 1, lineEnd));
  if (count < 0) return end;
  if (bulkTypes.includes(type)) return end + count + 2 <= data.length ? end + count + 2 : -1;
  const values = type === '%' || type === '|' ? 2 * count : count;
  for (let i = 0; i < values; i += 1) {
    end = end < data.length ? endOfValue(data, end) : -1;
    if (end < 0) return -1;
  }
  return end;
}

/** The pattern matches `message`, `pmessage` and `smessage`, in RESP2 and RESP3. */
const published = /^[*>]\d\r\n\$\d\r\n[ps]?message\r\n/;

export async function startDeafProxy(targetPort: number): Promise<DeafProxy> {
  const deaf = new Set<Socket>();
  const clients = new Set<Socket>();
  let areAllDeaf = false;
  let swallowed = 0;
  let accepted = 0;

  const proxy = createServer((client) => {
    const upstream = connect(targetPort, '127.0.0.1');
    accepted += 1;
    clients.add(client);
    if (areAllDeaf) deaf.add(client);
    let rest: Buffer = Buffer.alloc(0);
    client.on('data', (chunk) => upstream.write(chunk));
    upstream.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      for (let end = endOfValue(rest, 0); end > 0; end = endOfValue(rest, 0)) {
        const value = rest.subarray(0, end);
        rest = rest.subarray(end);
        const isKept = deaf.has(client) && published.test(value.toString('latin1', 0, 32));
        if (isKept) swallowed += 1;
        else client.write(value);
        if (rest.length === 0) break;
      }
    });
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on('error', () => undefined);
      from.on('close', () => {
        to.destroy();
        clients.delete(client);
        deaf.delete(client);
      });
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy got no port');

  async function stop() {
    for (const client of clients) client.destroy();
    await new Promise((resolve) => proxy.close(resolve));
  }

  return {
    port: address.port,
    url: `redis://127.0.0.1:${address.port}`,
    deafen() {
      for (const client of clients) deaf.add(client);
    },
    deafenAll() {
      areAllDeaf = true;
      for (const client of clients) deaf.add(client);
    },
    heal() {
      areAllDeaf = false;
    },
    get swallowed() {
      return swallowed;
    },
    get accepted() {
      return accepted;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
