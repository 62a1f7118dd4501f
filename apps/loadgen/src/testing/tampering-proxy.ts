import { WebSocket, WebSocketServer } from 'ws';

interface Notification {
  readonly method?: string;
  readonly params?: {
    readonly seq: number | null;
    readonly channelId: string;
    readonly event: { readonly type: string };
  };
}

/**
 * Repeats the first agent's second message and drops the fourth. A discontinuity before the fourth message keeps the
 * client from fetching the dropped message.
 */
export async function startTamperingProxy(
  hubUrl: string,
): Promise<{ url: string; stop(): Promise<void> }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await new Promise((resolve) => server.once('listening', resolve));
  server.on('connection', (client, request) => {
    const isFirst = /agent=load-[0-9a-f]+-0$/.test(request.url ?? '');
    const upstream = new WebSocket(hubUrl + (request.url ?? ''), 'openclaw.v1');
    const early: string[] = [];
    client.on('message', (data: Buffer) => {
      if (upstream.readyState === WebSocket.OPEN) upstream.send(data.toString());
      else early.push(data.toString());
    });
    upstream.on('open', () => early.forEach((text) => upstream.send(text)));
    const tamper = createTamper();
    upstream.on('message', (data: Buffer) => {
      client.send(isFirst ? tamper(data.toString()) : data.toString());
    });
    client.on('close', () => upstream.close());
    upstream.on('close', () => client.close());
  });
  return {
    url: `ws://127.0.0.1:${(server.address() as { port: number }).port}`,
    async stop() {
      for (const client of server.clients) client.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function createTamper(): (text: string) => string {
  let messages = 0;
  const replace = (object: Notification): unknown[] => {
    if (object.method !== 'event' || object.params?.event.type !== 'channel.message')
      return [object];
    messages += 1;
    if (messages === 2) return [object, object];
    if (messages !== 4) return [object];
    const params = { channelId: object.params.channelId, head: object.params.seq, reason: 'epoch' };
    return [{ jsonrpc: '2.0', method: 'discontinuity', params }];
  };
  return (text) => {
    const objects = [JSON.parse(text) as Notification | Notification[]].flat();
    return JSON.stringify(objects.flatMap(replace));
  };
}
