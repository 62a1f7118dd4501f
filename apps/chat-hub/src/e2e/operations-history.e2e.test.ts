import { describe, expect, it } from '@jest/globals';
import { operationsSchema, type Operations } from '@openclaw/protocol';
import { waitFor } from '@openclaw/test-support';
import type { TestHub } from '../testing/test-hub.ts';
import { startTwoHubsOn } from '../testing/two-hubs.ts';

// A minute of the history lasts half a second here.
const minuteMs = 500;

async function ask(hub: TestHub, query = ''): Promise<Operations> {
  const { status, body } = await hub.request('eve', 'GET', `/v1/operations${query}`);
  expect(status).toBe(200);
  return operationsSchema.strict().parse(body);
}

async function messagesOf(hub: TestHub, hubId: string): Promise<number> {
  let messages = 0;
  for (let since: number | null = 1; since !== null;) {
    const { history } = await ask(hub, `?since=${since}`);
    for (const minute of history?.minutes ?? [])
      if (minute.hubId === hubId) messages += minute.figures.messages;
    since = history?.nextSince ?? null;
  }
  return messages;
}

describe.each(['SQLite', 'PostgreSQL'] as const)('the history of operations on %s', (engine) => {
  // The reported failure: the page knew only the last five minutes of one hub, and lost them with a
  // reload.
  it('has the minutes of all hubs, also of one that is gone', async () => {
    await using two = await startTwoHubsOn(engine, { LOG_LEVEL: 'silent' }, { minuteMs });
    const [here, gone] = two.hubs;
    const ana = await gone.connect('ana');
    await ana.call('channel.create', { channelId: 'busy', name: 'Busy' });
    for (let n = 0; n < 20; n += 1)
      await ana.call('message.send', { channelId: 'busy', content: `${n}` });
    await waitFor(
      async () => {
        const other = (await ask(here)).hubs.find(({ hubId }) => hubId === gone.hubId);
        return other?.figures?.sockets === 1;
      },
      { what: 'the figures of the other hub', timeoutMs: 15_000 },
    );
    await ana.close();
    await gone.close();
    await waitFor(async () => (await messagesOf(here, gone.hubId)) === 20, {
      what: 'the minutes of the hub that is gone',
      timeoutMs: 15_000,
    });
    const last = (await ask(here, '?since=1')).history?.minutes.findLast(
      ({ hubId }) => hubId === gone.hubId,
    );
    expect(last?.figures.ended).toBe(true);
    // Negative control: the asked hub's own counters do not contain the other hub's messages.
    const { counters, history } = await ask(here, '?since=1');
    expect(counters.messages).toBe(0);
    expect((await ask(here)).history).toBeUndefined();
    const times = (history?.minutes ?? []).map(({ at }) => at);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(await here.request('eve', 'GET', '/v1/operations?since=x')).toMatchObject({
      status: 400,
    });
  });
});
