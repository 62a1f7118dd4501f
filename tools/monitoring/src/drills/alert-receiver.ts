import { createServer, type Server } from 'node:http';

export interface AlertReceiver extends AsyncDisposable {
  readonly url: string;
  /** An entry is, for example, `page RedisDown firing`. Entries are in the order of arrival. */
  readonly received: readonly string[];
  start(): Promise<void>;
  expect(token: string): void;
  stop(): Promise<void>;
}

interface Delivery {
  readonly receiver: string;
  readonly alerts: readonly {
    readonly status: 'firing' | 'resolved';
    readonly labels: Readonly<Record<string, string>>;
  }[];
}

export async function startAlertReceiver(port: number, firstToken: string): Promise<AlertReceiver> {
  const received: string[] = [];
  let token = firstToken;
  let server: Server | null = null;

  async function start() {
    if (server) return;
    const started = createServer((request, response) => {
      void (async () => {
        let body = '';
        for await (const chunk of request) body += String(chunk);
        if (request.headers.authorization !== `Bearer ${token}`)
          return response.writeHead(401).end();
        const { receiver, alerts } = JSON.parse(body) as Delivery;
        for (const { status, labels } of alerts)
          received.push(`${receiver} ${labels['alertname']} ${status}`);
        return response.end();
      })();
    });
    await new Promise<void>((resolve) => started.listen(port, '127.0.0.1', resolve));
    server = started;
  }

  async function stop() {
    const stopped = server;
    server = null;
    if (!stopped) return;
    stopped.closeAllConnections();
    await new Promise((resolve) => stopped.close(resolve));
  }

  await start();
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    expect(changed) {
      token = changed;
    },
    start,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
