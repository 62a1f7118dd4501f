import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { limits, type Envelope } from '@openclaw/protocol';
import {
  startHub,
  startTcpProxy,
  waitFor,
  type HubProcess,
  type TcpProxy,
} from '@openclaw/test-support';
import { createClient } from './client.ts';
import type { HubClient } from './hub-client.ts';

const channelId = 'large';
const count = 100;
/** 192 KiB as JSON. All messages together do not fit into two answers. */
const content = '\u0001'.repeat(limits.contentBytes);

let hub: HubProcess;
let link: TcpProxy;
const clients: HubClient[] = [];

function connect(agent: string, url: string): HubClient {
  const client = createClient({ url, agent, backoffMinMs: 50, backoffMaxMs: 200 });
  clients.push(client);
  return client;
}

beforeAll(async () => {
  hub = await startHub({ env: { HUB_LIMIT_MESSAGE: '1000000/60' } });
  link = await startTcpProxy(hub.port);
}, 60_000);
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await link?.stop();
  await hub?.stop();
});

describe('a client that missed more than fits one answer', () => {
  // The race: a page ends early, at resumeBytes. Invariant: the answer says that there are more events.
  it('catches up page by page in order, and pages the history as well', async () => {
    const [ada, bob] = [connect('ada', hub.url), connect('bob', `ws://127.0.0.1:${link.port}`)];
    await ada.call('channel.create', { channelId, name: 'Large' });
    await bob.channel(channelId).join();
    const events: Envelope[] = [];
    const discontinuities: unknown[] = [];
    bob.on('event', (envelope) => {
      if (envelope.seq !== null) events.push(envelope);
    });
    bob.on('discontinuity', (received) => discontinuities.push(received));
    await bob.channel(channelId).subscribe();
    // The client must know its position before the connection is cut.
    await ada.channel(channelId).send('first');
    await waitFor(() => events.length === 1);
    link.stall();
    link.cut();
    for (let n = 0; n < count; n++) await ada.channel(channelId).send(content);
    link.resume();
    await waitFor(() => events.length > count, { timeoutMs: 20_000 });
    expect(events.map(({ seq }) => seq)).toEqual(
      Array.from({ length: count + 1 }, (_, n) => 3 + n),
    );
    expect(discontinuities).toEqual([]);

    const seqs: number[] = [];
    let pages = 0;
    for (let after = 2, hasMore = true; hasMore; pages += 1) {
      const page = await bob.channel(channelId).history({ after, limit: limits.historyPage });
      seqs.push(...page.messages.map(({ seq }) => seq));
      after = seqs.at(-1) ?? 0;
      hasMore = page.hasMore;
    }
    expect(seqs).toEqual(events.map(({ seq }) => seq));
    // Negative control: the events do not fit into one answer.
    expect(pages).toBeGreaterThan(2);
  }, 60_000);
});
