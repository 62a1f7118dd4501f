import { describe, expect, it } from '@jest/globals';
import { connectRpc, startHub, startRedis, waitFor } from '@openclaw/test-support';
import { WebSocket } from 'ws';
import { closeAfterAll } from '../testing/close-after-all.ts';

/** Five times as many clients as the hub admits in one burst. The test also passes with 5,000. */
const crowd = 2_000;
const channelId = 'square';

class Member {
  refusals = 0;
  welcomes = 0;
  #ws: WebSocket | null = null;
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
    this.#connect();
  }

  drop(): void {
    this.refusals = 0;
    this.#ws?.removeAllListeners('close');
    this.#ws?.terminate();
    this.#connect();
  }

  end(): void {
    this.#ws?.removeAllListeners('close');
    this.#ws?.terminate();
  }

  #connect(): void {
    const ws = new WebSocket(this.#url, ['openclaw.v1'], { perMessageDeflate: false });
    this.#ws = ws;
    const comeBack = (afterMs: number) => {
      this.refusals += 1;
      ws.removeAllListeners('close');
      setTimeout(() => this.#connect(), afterMs);
    };
    ws.on('error', () => undefined);
    ws.on('message', (data: Buffer) => {
      if (data.includes('"welcome"')) this.welcomes += 1;
    });
    ws.on('unexpected-response', (_request, response) => {
      comeBack(1_000 * Number(response.headers['retry-after']));
      ws.terminate();
    });
    ws.on('close', (code, reason) => {
      const { afterMs } = JSON.parse(code === 4503 ? reason.toString() : '{"afterMs":500}') as {
        afterMs: number;
      };
      comeBack(afterMs);
    });
  }
}

const redis = closeAfterAll(await startRedis());
const hub = await startHub({ env: { REDIS_URL: redis.url, HUB_LIMIT_MESSAGE: '100000/60' } });
// The hub is killed, because draining so many clients would take long.
closeAfterAll({ stop: () => hub.kill() });

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${hub.httpUrl}/metrics`)).text();
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1) ?? 0);
}

describe('a crowd that returns at once', () => {
  it(`${crowd} dropped sockets are all admitted again, each after a few refusals at most, and connected clients lose nothing`, async () => {
    await using ana = await connectRpc(`${hub.url}/v1/ws?agent=ana`);
    await using ben = await connectRpc(`${hub.url}/v1/ws?agent=ben`);
    await ana.call('channel.create', { channelId, name: 'Square' });
    await ben.call('channel.join', { channelId });
    const { topics } = await ben.call('subscribe', { topics: [{ channelId }] });
    const { head } = topics[0] as { head: number };

    const members = Array.from(
      { length: crowd },
      (_, i) => new Member(`${hub.url}/v1/ws?agent=member${i}`),
    );
    const areIn = (times: number) => members.every(({ welcomes }) => welcomes >= times);
    await waitFor(() => areIn(1), { what: 'the crowd', timeoutMs: 40_000, everyMs: 50 });
    const before = await metric('hub_admissions_total{outcome="deferred"}');

    for (const member of members) member.drop();
    const statuses = new Set<number>();
    const sent: Promise<unknown>[] = [];
    let isOver = false;
    const watching = waitFor(
      async () => {
        statuses.add((await fetch(`${hub.httpUrl}/readyz`)).status);
        sent.push(ana.call('message.send', { channelId, content: `message ${sent.length}` }));
        return isOver;
      },
      { timeoutMs: 60_000, everyMs: 50 },
    );
    try {
      await waitFor(() => areIn(2), { what: 'all again', timeoutMs: 40_000, everyMs: 50 });
    } finally {
      isOver = true;
      await watching;
    }
    await Promise.all(sent);

    // Negative control: the crowd exceeded the burst, so the hub did send clients away.
    const after = await metric('hub_admissions_total{outcome="deferred"}');
    expect(after - before).toBeGreaterThan(crowd / 4);
    expect(Math.max(...members.map(({ refusals }) => refusals))).toBeLessThanOrEqual(3);
    expect([...statuses]).toEqual([200]);

    await ben.event(({ seq }) => seq === head + sent.length);
    const seqs = ben.events.map(({ seq }) => seq as number | null).filter((seq) => seq !== null);
    expect(seqs).toEqual(Array.from({ length: sent.length }, (_, i) => head + i + 1));
    expect(await metric('hub_admission_places')).toBe(0);
    for (const member of members) member.end();
  }, 120_000);
});
