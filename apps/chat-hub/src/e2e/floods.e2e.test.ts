import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  clientFrame,
  inspectorEnv,
  opcodes,
  openInspector,
  openRawSocket,
  openBystanders,
  sendRaw,
  startHub,
  waitFor,
  type HubProcess,
  type Inspector,
  type RawSocket,
  type Bystanders,
} from '@openclaw/test-support';

let hub: HubProcess;
let bystanders: Bystanders;
let inspector: Inspector;
const open = (agentId: string) => openRawSocket(`${hub.url}/v1/ws?agent=${agentId}`);
const times = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, index) => make(index));

beforeAll(async () => {
  hub = await startHub({ env: inspectorEnv });
  bystanders = await openBystanders((agentId) => `${hub.url}/v1/ws?agent=${agentId}`);
  inspector = await openInspector(() => hub.output());
  await bystanders.exchangeMessage();
});
afterAll(async () => {
  inspector?.close();
  await bystanders?.close();
  await hub?.stop();
});

/**
 * Lets other agents exchange messages until `work` ends. Resolves with the most CPU time in ms that the hub used for
 * one exchange. CPU time is measured, because elapsed time also depends on what else the machine runs.
 */
async function othersWait(work: Promise<unknown>): Promise<number> {
  let isOver = false;
  void work.finally(() => (isOver = true)).catch(() => undefined);
  let longest = 0;
  do {
    const beforeMs = await inspector.cpuMs();
    await bystanders.exchangeMessage();
    longest = Math.max(longest, (await inspector.cpuMs()) - beforeMs);
    // The pause keeps the other agents within their own limits.
    await Promise.race([work, delay(50)]);
  } while (!isOver);
  await work;
  return longest;
}

describe('a flood', () => {
  const ping = '{"jsonrpc":"2.0","method":"ping"}';
  // Invariant: a ping or pong frame counts as a call, because it costs the hub as much as a call.
  it.each([
    ['calls', clientFrame(ping)],
    ['pings', clientFrame('x'.repeat(125), { opcode: opcodes.ping })],
    ['pongs', clientFrame('', { opcode: opcodes.pong })],
  ])(
    'of %s ends its own socket with 4429, also when the peer reads nothing',
    async (kind, frame) => {
      const raws = await Promise.all([open(`reads-${kind}`), open(`reads-not-${kind}`)]);
      raws[1].socket.pause();
      // The flood has more than five times the calls that an agent may make in a window, so the hub bars the agent.
      const flood = Buffer.concat(times(15_000, () => frame));
      for (const raw of raws) raw.write(flood);
      expect(await othersWait(raws[0].closed)).toBeLessThan(1_000);
      // If too many pongs wait to be sent, the ws library destroys the socket without a close code.
      const codes = kind === 'pings' ? [4429, null] : [4429];
      expect(codes).toContain(await raws[0].closed);
      raws[1].socket.resume();
      // When a peer does not read its pongs, the hub may close the socket before it can send a close code.
      expect([4429, null]).toContain(await raws[1].closed);
      for (const raw of raws) raw.destroy();
    },
  );

  it('of large frames that are slow to parse does not delay others for long', async () => {
    const raws = await Promise.all(times(4, (index) => open(`large-${index}`)));
    const text = `{"jsonrpc":"2.0","id":"x","method":"subscribe","params":{"topics":[${'{},'.repeat(85_000)}{}]}}`;
    const work = Promise.all(
      raws.map(async (raw) => {
        raw.send(...times(40, () => text));
        await waitFor(() => raw.objects.length > 40, { what: 'all answers', timeoutMs: 20_000 });
      }),
    );
    const longest = await othersWait(work);
    expect(longest).toBeLessThan(2_000);
    for (const raw of raws) raw.destroy();
  });

  it('of connections of one agent keeps the first hundred, and accepts more when some of them close', async () => {
    const raws: RawSocket[] = await Promise.all(times(120, () => open('many')));
    const codes = await Promise.all(
      raws.map((raw) => Promise.race([raw.closed, waitFor(() => isIn(raw))])),
    );
    expect(codes.filter((code) => code === true)).toHaveLength(100);
    expect(codes.filter((code) => code === 4429)).toHaveLength(20);
    raws.find((raw) => isIn(raw))?.destroy();
    const next = await waitFor(
      async () => {
        const raw = await open('many');
        raws.push(raw);
        return isIn(raw) && raw;
      },
      { what: 'a free place' },
    );
    expect(next.isClosed).toBe(false);
    for (const raw of raws) raw.destroy();
  });

  it('of connections that open and close leaves no memory in use', async () => {
    const round = async () => {
      const raws = await Promise.all(times(50, (index) => comeIn(`gone-${index}`)));
      for (const raw of raws) raw.send('{"jsonrpc":"2.0","id":1,"method":"read.state"}', '{');
      await Promise.all(raws.map((raw) => waitFor(() => raw.objects.length >= 3, { everyMs: 1 })));
      for (const raw of raws) raw.destroy();
    };
    await round();
    await round();
    const before = await inspector.retainedBytes();
    for (let i = 0; i < 10; i++) await round();
    await bystanders.exchangeMessage();
    expect(((await inspector.retainedBytes()) - before) / 1e6).toBeLessThan(8);
  });
});

/**
 * Connects again until the hub admits the agent: a fast machine connects more clients per second than the hub admits.
 */
function comeIn(agentId: string): Promise<RawSocket> {
  return waitFor(async () => {
    const raw = await open(agentId);
    if (isIn(raw)) return raw;
    raw.destroy();
    return null;
  });
}

function isIn(raw: RawSocket): boolean {
  return !raw.isClosed && raw.objects.some(({ method }) => method === 'welcome');
}

describe('a deliberately slow peer', () => {
  // The race: a peer sends a broken frame, then neither answers the close nor disconnects. The WebSocket library alone
  // would wait for half a minute.
  it('that ignores the close after its broken frame is disconnected within seconds', async () => {
    const raw = await comeIn('ghost');
    const startMs = Date.now();
    raw.write(clientFrame('x', { reserved: 7 }));
    expect(await raw.closed).toBe(1002);
    await once(raw.socket, 'end');
    expect(Date.now() - startMs).toBeLessThan(6_000);
    raw.destroy();
  });

  it('three hundred of them, with half an upgrade, half a body or nothing at all, are disconnected, and delay no one', async () => {
    const head = 'Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';
    const body = 'Host: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{';
    const halves = [
      `GET /v1/ws?agent=slow HTTP/1.1\r\n${head}`,
      `POST /v1/channels?agent=slow HTTP/1.1\r\n${body}`,
      'G',
    ];
    const work = Promise.all(
      times(300, (index) => sendRaw(hub.port, halves[index % 3] ?? '', { timeoutMs: 15_000 })),
    );
    expect(await othersWait(work)).toBeLessThan(1_000);
    expect(new Set((await work).map(({ status }) => status))).toEqual(new Set([408]));
  });
});
