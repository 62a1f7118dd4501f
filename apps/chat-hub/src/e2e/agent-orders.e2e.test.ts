import { waitFor } from '@openclaw/test-support';
import { describe, expect, it } from '@jest/globals';
import { startTestHub } from '../testing/test-hub.ts';
import { startTwoHubs } from '../testing/two-hubs.ts';

const { hubA, hubB, environment } = await startTwoHubs();

const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => 'ok',
    ({ data }: { data: { code: string } }) => data.code,
  );

async function auditOf(action: string) {
  const path = `/v1/audit?action=${action}&role=admin`;
  const { body } = await hubA.request('root', 'GET', `${path}`);
  return (body as { entries: { target: string; details: object; actor: string }[] }).entries;
}

describe('agent.kick', () => {
  it('closes the agent’s sockets on every hub within a second, once, and is audited', async () => {
    await using root = await hubA.connect('root', { query: '&role=admin' });
    const [here, there] = await Promise.all([hubA.connect('bot'), hubB.connect('bot')]);
    await using bystander = await hubB.connect('ben');
    await waitFor(async () => (await codeOf(kick(root, 'bot'))) === 'ok', {
      what: 'the agent to be known',
    });
    const closed = { code: 4403, reason: 'It loops.' };
    expect(await Promise.all([here.closed, there.closed])).toEqual([closed, closed]);
    expect(await auditOf('agent.kick')).toMatchObject([
      { actor: 'root', target: 'bot', details: { reason: 'It loops.' } },
    ]);
    await using again = await hubB.connect('bot');
    const hubC = await startTestHub(environment);
    const third = await hubC.connect('bot');
    await kick(root, 'ben');
    await bystander.closed;
    expect(await codeOf(again.call('ping'))).toBe('ok');
    expect(await codeOf(third.call('ping'))).toBe('ok');
    await third.close();
    await hubC.close();
  });

  it('is for admins, and for agents that exist', async () => {
    await using ana = await hubA.connect('ana');
    await using root = await hubA.connect('root', { query: '&role=admin' });
    expect(await codeOf(kick(ana, 'root'))).toBe('forbidden');
    expect(await codeOf(kick(root, 'nobody'))).toBe('not_found');
  });

  function kick(admin: Awaited<ReturnType<typeof hubA.connect>>, agentId: string) {
    return admin.call('agent.kick', { agentId, reason: 'It loops.' });
  }
});

describe('agent.limit', () => {
  it('limits the agent’s messages on every hub until it is lifted or over', async () => {
    await using root = await hubA.connect('root', { query: '&role=admin' });
    await using eve = await hubB.connect('eve');
    await eve.call('channel.create', { channelId: 'busy', name: 'Busy' });
    const send = () => codeOf(eve.call('message.send', { channelId: 'busy', content: 'x' }));
    const limit = (message: string | null, more: object = {}) =>
      root.call('agent.limit', { agentId: 'eve', message, ...more });
    // Negative control: without a limit all of these messages are sent.
    expect(await Promise.all([send(), send(), send()])).toEqual(['ok', 'ok', 'ok']);
    await limit('2/3600');
    await waitFor(async () => (await send()) === 'rate_limited', { what: 'the limit' });
    expect(await codeOf(eve.call('channel.get', { channelId: 'busy' }))).toBe('ok');
    await limit(null);
    await waitFor(async () => (await send()) === 'ok', { what: 'the end of the limit' });
    await limit('1/3600', { forMs: 1_500 });
    await waitFor(async () => (await send()) === 'rate_limited', { what: 'the second limit' });
    await waitFor(async () => (await send()) === 'ok', { what: 'the end of its time' });
    expect(await codeOf(limit('0/60'))).toBe(undefined);
    const details = (await auditOf('agent.limit')).map((entry) => entry.details);
    expect(details).toEqual([
      { message: '1/3600', forMs: 1_500 },
      { message: null, forMs: null },
      { message: '2/3600', forMs: null },
    ]);
  });
});
