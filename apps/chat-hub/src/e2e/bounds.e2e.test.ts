import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from '@jest/globals';
import { limits } from '@openclaw/protocol';
import {
  connectRpc,
  startHub,
  temporaryFolder,
  waitFor,
  type RpcSocketOptions,
} from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { range, seqsOf } from '../testing/seqs.ts';

// The hub runs in its own process, so that its memory can be measured and a crash is noticed.
const folder = closeAfterAll(await temporaryFolder('bounds'));
const path = `${folder.path}/hub.sqlite`;
const hub = closeAfterAll(
  await startHub({
    env: { HUB_DB_URL: `sqlite:${path}`, HUB_LIMIT_MESSAGE: '1000000/60', LOG_LEVEL: 'error' },
  }),
);
const connect = (agentId: string, options: RpcSocketOptions = {}) =>
  connectRpc(`${hub.url}/v1/ws?agent=${agentId}`, options);
const ana = closeAfterAll(await connect('ana'));

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${hub.httpUrl}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1]);
}

async function send(channelId: string, count: number, contentBytes: number): Promise<number> {
  const params = { channelId, content: 'x'.repeat(contentBytes) };
  const sent = await Promise.all(range(1, count).map(() => ana.call('message.send', params)));
  return Math.max(...sent.map(({ seq }) => seq as number));
}

/** Returns a socket that does not read, so live delivery to it has stopped. */
async function laggingSocket(channelId: string, options: RpcSocketOptions = {}) {
  await ana.call('channel.create', { channelId, name: channelId });
  const socket = await connect('ana', options);
  await socket.call('subscribe', { topics: [{ channelId }] });
  const before = await metric('hub_lagging_sockets_total');
  socket.ws.pause();
  await waitFor(
    async () => {
      await send(channelId, 40, 30_000);
      return (await metric('hub_lagging_sockets_total')) > before;
    },
    { what: 'a lagging socket' },
  );
  // These messages have more bytes than the hub keeps of a channel in memory, so the oldest are only in the store.
  return { socket, last: await send(channelId, 60, 30_000) };
}

describe('a socket that does not read', () => {
  it('gets everything once and in order though the store fails while it catches up', async () => {
    const { socket, last } = await laggingSocket('store-fails');
    const database = new DatabaseSync(path, { timeout: 5_000 });
    database.exec('alter table log rename to log_away');
    socket.ws.resume();
    // The socket first reads the data that was already written. Then the hub reads the store, which fails.
    await waitFor(() => hub.output().includes('no such table'), { what: 'the failure' });
    database.exec('alter table log_away rename to log');
    database.close();
    await socket.event(({ seq }) => seq === last, 20_000);
    expect(seqsOf(socket.events)).toEqual(range(2, last));
    await socket.close();
  });

  // The race: a peer makes cheap calls with large answers and reads none. Invariants: the hub's memory for this peer
  // is bounded, and the answers arrive when the peer reads.
  it('is answered when it reads, and its calls use bounded memory', async () => {
    const channelId = 'unread-answers';
    await ana.call('channel.create', { channelId, name: channelId });
    await send(channelId, 256, 32_000);
    await using socket = await connect('ana');
    const calls = 30;
    const before = await metric('process_resident_memory_bytes');
    const laggedBefore = await metric('hub_lagging_sockets_total');
    socket.ws.pause();
    for (let id = 0; id < calls; id++) {
      const params = { channelId, after: 0 };
      socket.send(JSON.stringify({ jsonrpc: '2.0', id: `r${id}`, method: 'log.read', params }));
    }
    await waitFor(async () => (await metric('hub_lagging_sockets_total')) > laggedBefore, {
      what: 'a lagging socket',
    });
    // Meanwhile, the hub answers calls of the agent's other socket.
    let highest = 0;
    for (let round = 0; round < calls; round++) {
      await ana.call('log.read', { channelId, after: 200, limit: 1 });
      highest = Math.max(highest, await metric('process_resident_memory_bytes'));
    }
    expect((highest - before) / 1e6).toBeLessThan(150);
    socket.ws.resume();
    await waitFor(() => socket.received.filter(({ id }) => id !== undefined).length === calls, {
      what: 'all answers',
      timeoutMs: 25_000,
    });
  });

  it('gets one object per frame without the subprotocol, even while it catches up', async () => {
    const { socket, last } = await laggingSocket('plain', { protocols: [] });
    let arrays = 0;
    socket.ws.on('message', (data: Buffer) => (arrays += data[0] === 0x5b ? 1 : 0));
    socket.ws.resume();
    await socket.event(({ seq }) => seq === last, 20_000);
    expect(seqsOf(socket.events)).toEqual(range(2, last));
    expect(arrays).toBe(0);
    await socket.close();
  });

  // The race: the answers of a batch stay in memory until the last is ready. Invariant: their total size is bounded.
  it('gets a batch answered in one array of bounded size, with errors for the calls that do not fit', async () => {
    const channelId = 'batch';
    await ana.call('channel.create', { channelId, name: channelId });
    await send(channelId, 256, 32_000);
    await using socket = await connect('ana', { protocols: [] });
    const before = await metric('process_resident_memory_bytes');
    const calls = range(1, limits.batch).map((n) => ({
      jsonrpc: '2.0',
      id: `b${n}`,
      method: 'log.read',
      params: { channelId, after: 0 },
    }));
    socket.send(JSON.stringify(calls));
    const answers = await waitFor(
      () => {
        const found = socket.received.filter(({ id }) => id !== undefined);
        return found.length === calls.length && found;
      },
      { what: 'all answers' },
    );
    expect(answers[0]?.result.events.length).toBeGreaterThan(200);
    expect(answers.at(-1)?.error?.data).toMatchObject({ code: 'too_large' });
    const after = await metric('process_resident_memory_bytes');
    expect((after - before) / 1e6).toBeLessThan(150);
  });
});
