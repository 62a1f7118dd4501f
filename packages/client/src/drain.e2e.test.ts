import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  freePort,
  startHub,
  startRedis,
  temporaryFolder,
  waitFor,
  type HubProcess,
  type RedisServer,
} from '@openclaw/test-support';
import { createServer, connect as connectTcp, type Server, type Socket } from 'node:net';
import { createClient } from './client.ts';
import type { HubClient } from './hub-client.ts';

/** A proxy. `send` names the hub for new connections; existing connections stay. */
interface Balancer {
  readonly url: string;
  /** The waits that draining hubs asked their clients to make. */
  slotsMs(): number[];
  send(to: HubProcess): void;
  stop(): Promise<void>;
}

async function startBalancer(first: HubProcess): Promise<Balancer> {
  let target = first;
  const open = new Set<Socket>();
  const received: string[] = [];
  const server: Server = createServer((client) => {
    const upstream = connectTcp(target.port, '127.0.0.1');
    const index = received.push('') - 1;
    // The hub's frames are plain: unmasked and uncompressed.
    upstream.on('data', (bytes) => (received[index] += bytes.toString('latin1')));
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        open.delete(from);
        to.destroy();
      });
    }
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `ws://127.0.0.1:${port}`,
    slotsMs: () =>
      received.flatMap((text) =>
        [...text.matchAll(/"reconnect","params":\{"afterMs":(\d+)/g)].map(([, ms]) => Number(ms)),
      ),
    send: (to) => void (target = to),
    async stop() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

let redis: RedisServer;
let folder: { readonly path: string; remove(): Promise<void> };
let leaving: HubProcess;
let staying: HubProcess;
let balancer: Balancer;
const clients: HubClient[] = [];

beforeAll(async () => {
  redis = await startRedis();
  folder = await temporaryFolder('drain');
  const env = {
    REDIS_URL: redis.url,
    HUB_DB_URL: `sqlite:${folder.path}/hub.sqlite`,
    HUB_LIMIT_MESSAGE: '100000/60',
  };
  leaving = await startHub({ env });
  staying = await startHub({ env });
  balancer = await startBalancer(leaving);
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});
afterAll(async () => {
  await balancer?.stop();
  await leaving?.stop();
  await staying?.stop();
  await redis?.stop();
  await folder?.remove();
});

function connect(agent: string): HubClient {
  const client = createClient({ url: balancer.url, agent, backoffMinMs: 50, backoffMaxMs: 500 });
  clients.push(client);
  return client;
}

interface Listener {
  readonly client: HubClient;
  readonly seqs: number[];
  readonly discontinuities: unknown[];
  readonly welcomesAtMs: number[];
}

describe('a hub that is stopped', () => {
  it('sends each client to another hub at its own time, and no message is lost or doubled', async () => {
    const ana = connect('ana');
    const channelId = 'hall';
    await ana.call('channel.create', { channelId, name: 'Hall' });
    const listeners: Listener[] = [];
    for (let i = 0; i < 30; i += 1) {
      const client = connect(`agent${i}`);
      const listener: Listener = { client, seqs: [], discontinuities: [], welcomesAtMs: [] };
      client.on('event', ({ seq }) => {
        if (seq !== null) listener.seqs.push(seq);
      });
      client.on('discontinuity', (value) => listener.discontinuities.push(value));
      client.on('welcome', () => listener.welcomesAtMs.push(performance.now()));
      await client.channel(channelId).join();
      listeners.push(listener);
    }
    await Promise.all(listeners.map(({ client }) => client.channel(channelId).subscribe()));

    const acks: number[] = [];
    const sending: Promise<unknown>[] = [];
    const send = () =>
      sending.push(
        ana
          .channel(channelId)
          .send(`message ${sending.length}`)
          .then(({ seq }) => acks.push(seq)),
      );
    let isOver = false;
    const talking = waitFor(
      () => {
        send();
        return isOver;
      },
      { timeoutMs: 60_000, everyMs: 10 },
    );
    await waitFor(() => acks.length > 20);

    balancer.send(staying);
    const beganAtMs = performance.now();
    const stopped = leaving.stop();
    const readyz = await fetch(`${leaving.httpUrl}/readyz`);
    expect(readyz.status).toBe(503);
    expect(await readyz.json()).toMatchObject({ ready: false, draining: true });
    await stopped;
    const tookMs = performance.now() - beganAtMs;
    expect(leaving.output()).not.toMatch(/"level":|took too long/);
    await waitFor(() => listeners.every(({ welcomesAtMs }) => welcomesAtMs.length >= 2), {
      what: 'all on the other hub',
    });
    const acked = acks.length;
    await waitFor(() => acks.length > acked + 20);
    isOver = true;
    await talking;
    await Promise.all(sending);

    // During the drain of one second, the clients moved one after the other.
    expect(tookMs).toBeGreaterThan(900);
    expect(tookMs).toBeLessThan(6_000);
    // Compares the slots that the hub named, because on a busy machine the moves come closer together.
    const slotsMs = balancer.slotsMs().sort((a, b) => a - b);
    expect(slotsMs).toHaveLength(31);
    for (const [i, slotMs] of slotsMs.entries()) {
      const evenMs = (i * 1_000) / slotsMs.length;
      expect(slotMs).toBeLessThanOrEqual(evenMs + 1);
      // The hub names the time that is left until the slot, so a late notification names a shorter time.
      expect(slotMs).toBeGreaterThan(evenMs - 200);
    }
    for (const { welcomesAtMs } of listeners) expect(welcomesAtMs).toHaveLength(2);

    expect(new Set(acks).size).toBe(sending.length);
    const last = Math.max(...acks);
    await waitFor(() => listeners.every(({ seqs }) => (seqs.at(-1) ?? 0) >= last));
    for (const { seqs, discontinuities } of listeners) {
      expect(seqs).toEqual(seqs.map((_, i) => (seqs[0] ?? 0) + i));
      for (const seq of acks) expect(seqs).toContain(seq);
      expect(discontinuities).toEqual([]);
    }
  }, 90_000);
});
