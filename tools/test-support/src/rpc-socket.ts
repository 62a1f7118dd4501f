import { WebSocket, type ClientOptions } from 'ws';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests look into answers freely
type Any = any;

export type RpcObject = Record<string, unknown> & {
  readonly id?: string | number | null;
  readonly method?: string;
  readonly params?: Any;
  readonly result?: Any;
  readonly error?: {
    readonly code: number;
    readonly message: string;
    readonly data?: { readonly code?: string; readonly retryAfterMs?: number };
  };
};

/** Shows every frame and repairs nothing. `await using` closes it. */
export interface RpcSocket extends AsyncDisposable {
  readonly ws: WebSocket;
  readonly welcome: Any;
  readonly received: readonly RpcObject[];
  /** The list has the envelopes of `event` notifications, in the order of arrival. */
  readonly events: readonly Any[];
  /** Resolves with the result; rejects with {@link RpcCallError}. */
  call(method: string, params?: object): Promise<Any>;
  /** Resolves with the first event, past or future, that satisfies the condition. */
  event(condition: (envelope: Any) => boolean, timeoutMs?: number): Promise<Any>;
  /** Resolves with the first notification of the method, past or future, that satisfies the condition. */
  notification(
    method: string,
    condition?: (params: Any) => boolean,
    timeoutMs?: number,
  ): Promise<Any>;
  send(text: string): void;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  close(): Promise<void>;
}

export class RpcCallError extends Error {
  override readonly name = 'RpcCallError';
  readonly rpcCode: number;
  readonly code: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly data: NonNullable<RpcObject['error']>['data'];

  constructor(error: NonNullable<RpcObject['error']>) {
    super(`${error.code} ${error.data?.code ?? ''}: ${error.message}`);
    this.rpcCode = error.code;
    this.code = error.data?.code;
    this.retryAfterMs = error.data?.retryAfterMs;
    this.data = error.data;
  }
}

export interface RpcSocketOptions {
  /** The client offers these subprotocols. @default ['openclaw.v1'] */
  readonly protocols?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Resolves only after the welcome. @default true */
  readonly waitForWelcome?: boolean;
  readonly timeoutMs?: number;
}

/** Rejects when the upgrade is refused. */
export async function connectRpc(url: string, options: RpcSocketOptions = {}): Promise<RpcSocket> {
  const {
    protocols = ['openclaw.v1'],
    headers,
    waitForWelcome = true,
    timeoutMs = 10_000,
  } = options;
  const clientOptions: ClientOptions = { ...(headers && { headers }), perMessageDeflate: false };
  const ws = new WebSocket(url, [...protocols], clientOptions);
  const received: RpcObject[] = [];
  const events: unknown[] = [];
  const pending = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  const waiters = new Set<() => void>();
  let nextId = 0;

  const take = (object: RpcObject) => {
    received.push(object);
    if (object.method === 'event') events.push(object.params);
    const call = typeof object.id === 'number' ? pending.get(object.id) : undefined;
    if (call) {
      pending.delete(object.id as number);
      if (object.error) call.reject(new RpcCallError(object.error));
      else call.resolve(object.result);
    }
  };
  ws.on('message', (data: Buffer) => {
    const value = JSON.parse(data.toString()) as RpcObject | RpcObject[];
    for (const object of Array.isArray(value) ? value : [value]) take(object);
    for (const waiter of [...waiters]) waiter();
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    ws.on('close', (code, reason) => {
      for (const call of pending.values())
        call.reject(new Error(`closed with ${code} before the answer`));
      pending.clear();
      resolve({ code, reason: reason.toString() });
    });
  });
  await new Promise<void>((resolve, reject) => {
    ws.once('open', resolve);
    ws.once('error', reject);
  });
  ws.on('error', () => undefined);

  function until<T>(look: () => T | undefined, what: string, limitMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const check = () => {
        const found = look();
        if (found === undefined) return;
        finish();
        resolve(found);
      };
      const finish = () => {
        clearTimeout(timer);
        waiters.delete(check);
      };
      const timer = setTimeout(() => {
        finish();
        reject(
          new Error(
            `${what} did not come within ${limitMs} ms; last: ${JSON.stringify(received.slice(-3)).slice(0, 800)}`,
          ),
        );
      }, limitMs);
      waiters.add(check);
      check();
    });
  }

  const close = async () => {
    ws.close();
    await closed;
  };
  const socket: RpcSocket = {
    ws,
    get welcome(): unknown {
      return received.find((object) => object.method === 'welcome')?.params;
    },
    received,
    events,
    call(method, params = {}) {
      if (ws.readyState !== ws.OPEN) return Promise.reject(new Error('the socket is not open'));
      const id = ++nextId;
      return new Promise((resolve, reject) => {
        pending.set(id, { resolve, reject });
        ws.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
      });
    },
    event: (condition, limitMs = timeoutMs) =>
      until(() => events.find((envelope) => condition(envelope)), 'the event', limitMs),
    notification: (method, condition = () => true, limitMs = timeoutMs) =>
      until(
        () =>
          received.find((object) => object.method === method && condition(object.params))
            ?.params as unknown,
        `the notification ${method}`,
        limitMs,
      ),
    send: (text) => ws.send(text),
    closed,
    close,
    [Symbol.asyncDispose]: close,
  };
  if (waitForWelcome) await until(() => socket.welcome as unknown, 'the welcome', timeoutMs);
  return socket;
}
