import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { waitFor } from '@openclaw/test-support';
import { range } from '../testing/seqs.ts';
import { startTwoHubsOn } from '../testing/two-hubs.ts';

const channelId = 'busy';

describe.each(['SQLite', 'PostgreSQL'] as const)('an erasure under load on %s', (engine) => {
  function startErase(databaseUrl: string) {
    const flags = ['--conditions=@openclaw/source', '--disable-warning=ExperimentalWarning'];
    const file = resolve('apps/chat-hub/src/commands/erase.ts');
    return spawn(process.execPath, [...flags, file, '--agent', 'ben', '--yes'], {
      env: { PATH: process.env['PATH'], HUB_DB_URL: databaseUrl },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }

  // The race: the agent still sends over two hubs, faster than the erasure deletes. The first run is killed at a random
  // point. Invariants: the second run ends, and nothing is left that the agent wrote before this run. No message of
  // another agent is lost, doubled or out of order.
  it('ends while its agent sends without pause, also after it was killed', async () => {
    await using started = await startTwoHubsOn(engine, { HUB_LIMIT_MESSAGE: '1000000/60' });
    const { databaseUrl, hubs } = started;
    const owner = await hubs[0].connect('ana');
    const bens = [await hubs[0].connect('ben'), await hubs[1].connect('ben')] as const;
    await owner.call('channel.create', { channelId, name: channelId });
    await bens[0].call('channel.join', { channelId });
    await owner.call('subscribe', { topics: [{ channelId }] });
    for (const from of range(0, 3)) {
      await Promise.all(
        range(1, 100).map((n) =>
          bens[from % 2 === 0 ? 0 : 1].call('message.send', {
            channelId,
            content: `early ${from * 100 + n}`,
          }),
        ),
      );
    }
    const payload = { note: 'early payload' };
    await bens[0].call('collaboration.emit', { channelId, name: 'x', payload });

    let isSending = true;
    const seqs: number[] = [];
    const sendAll = async (socket: (typeof bens)[number], of: string) => {
      for (let n = 1; isSending; n += 1) {
        const call = { channelId, content: `late ${of} ${n}` };
        seqs.push((await socket.call('message.send', call)).seq);
      }
    };
    const sending = bens.map((socket, index) => sendAll(socket, `${index}`));

    const first = startErase(databaseUrl);
    const isDeleted = ({ event }: { event: { type: string } }) =>
      event.type === 'channel.message.delete';
    await waitFor(() => owner.events.filter(isDeleted).length > 20, {
      ...{ what: 'the first deletions', timeoutMs: 60_000 },
    });
    first.kill('SIGKILL');
    await once(first, 'close');
    const left = JSON.stringify(
      (await owner.call('message.history', { channelId, after: 250, limit: 200 })).messages,
    );
    // Negative control: the killed run has not erased everything.
    expect(left).toContain('early');

    const second = startErase(databaseUrl);
    const exited = once(second, 'exit');
    const receipt: unknown = JSON.parse(await text(second.stdout));
    expect(await exited).toEqual([0, null]);
    isSending = false;
    await Promise.all(sending);
    expect(receipt).toMatchObject({ agentId: 'ben', dryRun: false });

    const all: string[] = [];
    let last = 0;
    for (let hasMore = true; hasMore;) {
      const page = await owner.call('log.read', { channelId, after: last, limit: 1000 });
      for (const { seq, event } of page.events) {
        expect(seq).toBe(last + 1);
        last = seq;
        all.push(JSON.stringify(event));
      }
      ({ hasMore } = page);
    }
    expect(all.filter((one) => one.includes('early'))).toEqual([]);
    expect(new Set(seqs).size).toBe(seqs.length);
    const lives = () => owner.events.filter(({ seq }) => seq !== null).map(({ seq }) => seq);
    await waitFor(() => lives().includes(last), { what: `seq ${last}`, timeoutMs: 30_000 });
    expect(lives()).toEqual(range(lives()[0], last));
    for (const socket of [owner, ...bens]) await socket.close();
  }, 90_000);
});
