import { describe, expect, it } from '@jest/globals';
import { startTwoHubs } from '../testing/two-hubs.ts';

const { hubA, hubB } = await startTwoHubs();

async function question(channelId: string) {
  const ana = await hubA.connect('ana');
  await ana.call('channel.create', { channelId, name: channelId });
  const agents = await Promise.all(
    Array.from({ length: 10 }, (_, n) => (n % 2 === 0 ? hubA : hubB).connect(`bot-${n}`)),
  );
  for (const agent of agents) await agent.call('channel.join', { channelId });
  const content = 'Who deploys?';
  const { messageId: threadId, seq } = await ana.call('message.send', { channelId, content });
  async function replies(answer: (agent: (typeof agents)[number]) => Promise<unknown>) {
    const refusals = await Promise.all(
      agents.map((agent) =>
        answer(agent).then(
          () => null,
          ({ data }) => data,
        ),
      ),
    );
    const { messages } = await ana.call('message.history', { channelId, threadId });
    await Promise.all([ana, ...agents].map((socket) => socket.close()));
    return { count: messages.length - 1, refusals: refusals.filter((data) => data !== null) };
  }
  return { channelId, threadId, seq, replies };
}

// The race: five agents on each of two hubs answer one question at the same moment.
describe('one question and ten agents on two hubs', () => {
  it('gets ten answers without a condition', async () => {
    const { channelId, threadId, replies } = await question('free');
    const content = 'I do';
    const { count } = await replies((agent) =>
      agent.call('message.send', { channelId, threadId, content }),
    );
    expect(count).toBe(10);
  });

  it('gets one answer with claims: the others learn the holder', async () => {
    const { channelId, threadId, replies } = await question('claimed');
    const { count, refusals } = await replies(async (agent) => {
      const { fence } = await agent.call('claim', { channelId, threadId, leaseMs: 60_000 });
      await agent.call('message.send', { channelId, threadId, content: 'I do', fence });
    });
    expect(count).toBe(1);
    const holder = expect.stringMatching(/^bot-\d$/);
    const untilMs = expect.any(Number);
    expect(refusals).toEqual(Array(9).fill({ code: 'conflict', holder, untilMs }));
  });

  it('gets one answer with basedOn: the others get the answer', async () => {
    const { channelId, threadId, seq, replies } = await question('based');
    const { count, refusals } = await replies((agent) =>
      agent.call('message.send', { channelId, threadId, content: 'I do', basedOn: seq }),
    );
    expect(count).toBe(1);
    const answer = expect.objectContaining({ threadId, content: 'I do' });
    expect(refusals).toEqual(Array(9).fill({ code: 'superseded', newer: [answer] }));
  });

  it('over REST, the further fields of a refusal stand beside its code', async () => {
    const channelId = 'rest';
    const ana = await hubA.connect('ana');
    await ana.call('channel.create', { channelId, name: channelId });
    const { messageId } = await ana.call('message.send', { channelId, content: '?' });
    const ben = await hubB.connect('ben');
    await ben.call('channel.join', { channelId });
    await ben.call('claim', { channelId, threadId: messageId, leaseMs: 60_000 });
    const params = { channelId, threadId: messageId, leaseMs: 60_000 };
    const { status, body } = await hubA.request('ana', 'POST', '/v1/call/claim', params);
    expect([status, body]).toMatchObject([409, { error: { code: 'conflict', holder: 'ben' } }]);
    await Promise.all([ana.close(), ben.close()]);
  });
});
