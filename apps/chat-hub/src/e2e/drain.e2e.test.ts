import { describe, expect, it } from '@jest/globals';
import { waitFor, type RpcSocket } from '@openclaw/test-support';
import { admissionDefaults } from '../edge/admission.ts';
import { noRedis, startTestHub } from '../testing/test-hub.ts';

/** The hub disconnects four clients per second while it drains. */
const slowlyDrainingHub = () =>
  startTestHub(noRedis, { admission: { ...admissionDefaults, perSecond: 4 } });

describe('a hub that drains', () => {
  it('serves each client until its slot, closes it then, and admits no new clients', async () => {
    await using hub = await slowlyDrainingHub();
    const channelId = 'hall';
    const sockets: RpcSocket[] = [];
    for (let i = 0; i < 8; i += 1) sockets.push(await hub.connect(`agent${i}`));
    const [first, last] = [sockets[0], sockets[7]];
    if (!first || !last) throw new Error('no sockets');
    await first.call('channel.create', { channelId, name: 'Hall' });
    await last.call('channel.join', { channelId });
    await last.call('subscribe', { topics: [{ channelId }] });

    const startMs = performance.now();
    const closedAtMs: number[] = [];
    for (const [i, socket] of sockets.entries())
      void socket.closed.then(() => (closedAtMs[i] = performance.now() - startMs));
    const ended = hub.close();
    const slots = await Promise.all(
      sockets.map(async (socket) => {
        const { afterMs, reason } = await socket.notification('reconnect');
        expect(reason).toBe('draining');
        return afterMs as number;
      }),
    );
    for (const [i, slot] of slots.entries()) expect(Math.abs(slot - i * 250)).toBeLessThan(120);
    const readyz = await hub.request('ana', 'GET', '/readyz');
    expect(readyz).toMatchObject({ status: 503, body: { ready: false, draining: true } });
    const newcomer = await hub.connect('newcomer', { waitForWelcome: false });
    const refusal = await newcomer.closed;
    expect(refusal.code).toBe(4503);
    expect(JSON.parse(refusal.reason)).toEqual({ afterMs: expect.any(Number) });

    await first.closed;
    const acks: number[] = [];
    await waitFor(
      async () => {
        const { seq } = await last.call('message.send', { channelId, content: 'still here' });
        acks.push(seq as number);
        return closedAtMs[6] !== undefined;
      },
      { everyMs: 50 },
    );
    expect(acks.length).toBeGreaterThan(5);
    await last.event(({ seq }) => seq === acks.at(-1));

    for (const socket of sockets)
      expect(await socket.closed).toEqual({ code: 4503, reason: '{"afterMs":0}' });
    await ended;
    for (const [i, atMs] of closedAtMs.entries()) {
      expect(atMs).toBeGreaterThanOrEqual(i * 250 - 20);
      expect(atMs).toBeLessThan(i * 250 + 1_000);
    }
  }, 30_000);

  it('answers the calls that are in flight when the slot comes', async () => {
    await using hub = await slowlyDrainingHub();
    const ana = await hub.connect('ana');
    await ana.call('channel.create', { channelId: 'hall', name: 'Hall' });
    // The slot of the only client comes as soon as the drain begins. The calls have arrived by then, but need not all
    // be committed.
    const calls = Array.from({ length: 20 }, (_, i) =>
      ana.call('message.send', { channelId: 'hall', content: `message ${i}` }),
    );
    await calls[0];
    const ended = hub.close();
    const results = await Promise.allSettled(calls);
    expect(results.filter(({ status }) => status === 'rejected')).toEqual([]);
    expect(await ana.closed).toMatchObject({ code: 4503 });
    await ended;
  }, 30_000);

  it('serves on for HUB_DRAIN_DELAY_MS while it is not ready, and then drains within HUB_DRAIN_MS', async () => {
    await using hub = await startTestHub({
      ...noRedis,
      HUB_DRAIN_DELAY_MS: '800',
      HUB_DRAIN_MS: '300',
    });
    const ana = await hub.connect('ana');
    const startMs = performance.now();
    const ended = hub.close();
    expect(await hub.request('ana', 'GET', '/readyz')).toMatchObject({
      status: 503,
      body: { ready: false, state: 'draining' },
    });
    const metrics = await (await fetch(`${hub.url}/metrics`)).text();
    expect(metrics).toContain('hub_state{state="draining"} 1');
    // The balancer has not noticed the drain yet, so a client that connects now is served.
    const ben = await hub.connect('ben');
    expect(await ben.call('ping', {})).toMatchObject({ timestamp: expect.any(Number) });
    expect((await hub.request('ana', 'GET', '/v1/channels')).status).toBe(200);

    for (const socket of [ana, ben]) {
      const { afterMs } = await socket.notification('reconnect');
      expect(afterMs).toBeLessThanOrEqual(300);
    }
    expect(performance.now() - startMs).toBeGreaterThan(790);
    await Promise.all([ana.closed, ben.closed]);
    await ended;
    expect(performance.now() - startMs).toBeLessThan(3_000);
  });
});
