import { describe, expect, it } from '@jest/globals';
import { ChatStoreError, type ChatStore } from '@openclaw/chat-store';
import type { EventHandler } from '@openclaw/events';
import { methods, refuse, type EncodedEnvelope } from '@openclaw/protocol';
import { waitFor } from '@openclaw/test-support';
import { pino } from 'pino';
import { identityOf } from '../testing/identity.ts';
import type { Waited } from './call-waits.ts';
import { createInboxWaits } from './inbox-waits.ts';

function createBench() {
  const items = new Map<string, number>();
  const state = { reads: 0, checks: 0, isAway: false, since: -1 };
  /**
   * `place` is the place of the newest message that mentions everyone. `items` is the number of such messages in each
   * inbox.
   */
  const ofAll = { place: 0, items: 0 };
  const topics = new Map<string, Set<EventHandler>>();
  const waits = createInboxWaits({
    store: {
      async read({ agentId }: { readonly agentId: string }) {
        state.reads += 1;
        const length = (items.get(agentId) ?? 0) + ofAll.items;
        const found = Array.from({ length }, () => ({}));
        return { ok: true, result: { items: found } };
      },
      async inboxMarks(agentIds: readonly string[], sinceOfAll: number) {
        state.checks += 1;
        state.since = sinceOfAll;
        if (state.isAway) throw new ChatStoreError('unavailable', 'away');
        const newOfAll = ofAll.place > sinceOfAll ? ofAll.place : 0;
        const marks = agentIds.map(
          (agentId) => [agentId, `${items.get(agentId) ?? 0} ${newOfAll}`] as const,
        );
        return { marks: new Map(marks), newestOfAll: ofAll.place };
      },
    } as unknown as Pick<ChatStore, 'read' | 'inboxMarks'>,
    bus: {
      async subscribeAgent(agentId, handler) {
        topics.set(agentId, (topics.get(agentId) ?? new Set()).add(handler));
        return async () => void topics.get(agentId)?.delete(handler);
      },
    },
    isRevoked: () => false,
    onFailed: () => refuse('unavailable', 'away'),
    log: pino({ level: 'silent' }),
  });
  const params = methods['inbox.read'].params.parse({});
  const answers: Waited[] = [];
  const wait = async (agentId: string) => {
    const identity = identityOf(agentId);
    const before = state.reads;
    const waiting = waits.run(
      { identity, params, waitMs: 50_000, onGone: () => () => undefined },
      async (waited) => void answers.push(waited),
    );
    await waitFor(() => state.reads > before);
    return waiting;
  };
  const add = (agentId: string) => items.set(agentId, (items.get(agentId) ?? 0) + 1);
  async function check(hasChanged: boolean): Promise<void> {
    const { checks } = state;
    waits.checked(hasChanged);
    if (state.checks > checks) await new Promise((resolve) => setImmediate(resolve));
  }
  const publish = (agentId: string, seq: number | null) => {
    for (const handler of topics.get(agentId) ?? [])
      handler({ seq } as EncodedEnvelope, '' as never);
  };
  return { waits, state, ofAll, answers, wait, add, check, publish, topics };
}

describe('reads that wait for an item', () => {
  it.each([
    ['a commit of this hub', (bench) => bench.waits.committed(['ana'])],
    ['an event on the topic of the agent', (bench) => bench.publish('ana', 7)],
    ['a check that finds the inbox changed', (bench) => bench.check(true)],
  ] as const satisfies readonly [string, (bench: ReturnType<typeof createBench>) => unknown][])(
    'end with %s',
    async (_name, cause) => {
      const bench = createBench();
      const waiting = bench.wait('ana');
      await waitFor(() => bench.state.reads === 1);
      bench.add('ana');
      // Negative control: none of these three calls ends the wait.
      bench.waits.committed(['ben']);
      bench.publish('ana', null);
      await bench.check(false);
      expect(bench.answers).toEqual([]);
      await cause(bench);
      await waiting;
      expect(bench.answers).toEqual(['read']);
      expect(bench.topics.get('ana')?.size).toBe(0);
      expect(bench.waits.isWaiting('ana')).toBe(false);
    },
  );

  it('look once at their first check, and again only at a changed inbox', async () => {
    const bench = createBench();
    const waiting = bench.wait('ana');
    await waitFor(() => bench.state.reads === 1);
    await bench.check(true);
    await waitFor(() => bench.state.reads === 2);
    await bench.check(true);
    await bench.check(true);
    expect(bench.state.reads).toBe(2);
    bench.add('ana');
    await bench.check(true);
    await waiting;
    expect(bench.state.reads).toBe(3);
  });

  // The race: a message to everyone has its place, but is not committed yet. Several checks find messages with higher
  // places before its commit.
  it('see a message to everyone that becomes visible seconds after later ones', async () => {
    const bench = createBench();
    const waiting = bench.wait('ana');
    await waitFor(() => bench.state.reads === 1);
    for (bench.ofAll.place = 10; bench.ofAll.place < 15; bench.ofAll.place += 1)
      await bench.check(true);
    expect(bench.state).toMatchObject({ checks: 5, since: 0 });
    bench.ofAll.items = 1;
    await bench.check(true);
    await waiting;
  });

  it('are compared again after a check that failed', async () => {
    const bench = createBench();
    const waiting = bench.wait('ana');
    await waitFor(() => bench.state.reads === 1);
    bench.state.isAway = true;
    bench.add('ana');
    await bench.check(true);
    expect(bench.answers).toEqual([]);
    bench.state.isAway = false;
    await bench.check(false);
    await waiting;
    expect(bench.answers).toEqual(['read']);
  });

  // The fault: after a restore, messages to everyone get lower places again. A hub ignored these messages until their
  // places were higher than before the restore. Invariant: the first message to everyone after the restore ends the
  // wait.
  it('end with a message that mentions everyone after a restore, at a lower place', async () => {
    const bench = createBench();
    bench.ofAll.place = 900;
    const waiting = bench.wait('ana');
    await waitFor(() => bench.state.reads === 1);
    for (let n = 0; n < 3; n++) await bench.check(true);
    bench.waits.restored();
    bench.ofAll.place = 400;
    await bench.check(false);
    const { reads } = bench.state;
    expect(bench.answers).toEqual([]);
    Object.assign(bench.ofAll, { place: 401, items: 1 });
    await bench.check(true);
    await waiting;
    expect([bench.answers, bench.state.reads]).toEqual([['read'], reads + 1]);
  });
});
