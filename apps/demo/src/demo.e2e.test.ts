import { createClient, type Envelope, type HubClient } from '@openclaw/client';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { startHub, waitFor } from '@openclaw/test-support';
import { suiteScope } from '@openclaw/test-support/scopes';
import { personasOf } from './personas.ts';
import { startDemo, type Demo } from './demo.ts';
import { demoChannels } from './channels.ts';

const answerTimeoutMs = 15_000;
const agents = 25;

const scope = suiteScope();
let demo: Demo;
let zoe: HubClient;
const errors: unknown[] = [];
const heard: Envelope[] = [];

beforeAll(async () => {
  const hub = await scope.use(startHub());
  demo = await startDemo({
    url: hub.url,
    agents,
    pace: 8,
    seed: 3,
    onError: (error) => errors.push(error),
  });
  scope.defer(() => demo.close());
  zoe = createClient({ url: hub.url, agent: 'zoe' });
  scope.defer(() => zoe.close());
  zoe.on('event', (envelope) => heard.push(envelope));
}, 60_000);

const messagesTo = (agentId: string) =>
  heard.flatMap(({ event }) =>
    (event.type === 'channel.message' || event.type === 'thread.message') &&
    event.message.mentions.includes(agentId)
      ? [event.message]
      : [],
  );

describe('the demo', () => {
  it('fills every channel with messages of agents that have avatars and statuses', async () => {
    const lobby = zoe.channel(demoChannels.lobby.channelId);
    await lobby.join();
    await lobby.subscribe();
    const { presences } = await lobby.presence({ limit: 200 });
    const ids = personasOf(agents).map(({ agentId }) => agentId);
    expect(presences.map(({ agentId }) => agentId)).toEqual(expect.arrayContaining(ids));
    for (const { agentId, avatar, customStatus } of presences)
      if (agentId !== 'zoe') expect([agentId, avatar, customStatus]).not.toContain(null);
    for (const { channelId } of Object.values(demoChannels)) {
      const channel = zoe.channel(channelId);
      await channel.join();
      const { messages } = await channel.history();
      expect(messages.length).toBeGreaterThan(5);
    }
  });

  it('greets a newcomer in the channel and by direct message', async () => {
    await waitFor(() => messagesTo('zoe').length > 0, {
      what: 'a greeting',
      timeoutMs: answerTimeoutMs,
    });
    await waitFor(() => heard.some(({ channelId }) => channelId?.startsWith('dm_')), {
      what: 'a direct message',
      timeoutMs: answerTimeoutMs,
    });
  });

  it('answers a message within seconds: a reaction, typing, then the text', async () => {
    const lobby = zoe.channel(demoChannels.lobby.channelId);
    const before = messagesTo('zoe').length;
    const { messageId } = await lobby.send('Is the build green?');
    await waitFor(() => messagesTo('zoe').length > before, {
      what: 'an answer',
      timeoutMs: answerTimeoutMs,
    });
    const answer = messagesTo('zoe').at(-1);
    const reaction = heard.find(
      ({ event }) => event.type === 'channel.reaction.add' && event.messageId === messageId,
    );
    expect(reaction?.seq).toBeLessThan(answer?.seq ?? 0);
    expect(
      heard.some(
        ({ event, senderId }) =>
          event.type === 'channel.typing' && event.typing && senderId === answer?.senderId,
      ),
    ).toBe(true);
  });

  it('lets the mentioned agent answer, in the same thread', async () => {
    const lobby = zoe.channel(demoChannels.lobby.channelId);
    const { messageId } = await lobby.send('A thread for us');
    await lobby.send('@docs-writer what do you think?', {
      threadId: messageId,
      mentions: ['docs-writer'],
    });
    const answer = await waitFor(
      () => messagesTo('zoe').find((message) => message.threadId === messageId),
      { what: 'an answer in the thread', timeoutMs: answerTimeoutMs },
    );
    expect(answer.senderId).toBe('docs-writer');
  });

  it('answers a direct message', async () => {
    const { channelId } = await zoe.call('direct.send', {
      agentId: 'qa-lead',
      content: 'Are you there?',
    });
    await waitFor(
      () =>
        heard.some(
          (envelope) =>
            envelope.channelId === channelId &&
            envelope.senderId === 'qa-lead' &&
            envelope.event.type === 'channel.message',
        ),
      { what: 'an answer', timeoutMs: answerTimeoutMs },
    );
  });

  it('does not loop with a bot that answers every answer', async () => {
    const lobby = zoe.channel(demoChannels.lobby.channelId);
    for (let i = 0; i < 12; i++) await lobby.send(`echo ${i}`);
    const quiet = demo.answers + 12;
    const { scenesPlayed } = demo;
    await waitFor(() => demo.scenesPlayed > scenesPlayed + 2, { timeoutMs: 25_000 });
    expect(demo.answers).toBeLessThan(quiet);
  });

  it('answers an ask once: one agent claims it and streams its answer, the others decline', async () => {
    const lobby = zoe.channel(demoChannels.lobby.channelId);
    const to = ['docs-writer', 'qa-lead', 'tech-lead'];
    const { askId } = await lobby.ask(to, 'Is the build green?', 60_000);
    const states = async () => {
      const { asks } = await zoe.asks({ role: 'from' });
      const own = asks.find((ask) => ask.askId === askId);
      return own?.addressees.map(({ state }) => state).toSorted();
    };
    await waitFor(
      async () => !(await states())?.includes('open') && (await states())?.at(-1) === 'done',
      {
        what: 'the ends of the ask',
        timeoutMs: answerTimeoutMs,
      },
    );
    expect(await states()).toEqual(['declined', 'declined', 'done']);
    const { messages } = await lobby.history({ threadId: askId });
    const answers = messages.filter(({ id }) => id !== askId);
    expect(answers.map(({ state }) => state)).toEqual(['complete']);
    expect(answers[0]?.metadata?.['turn']).toMatchObject({ model: 'canned-1' });
    await waitFor(() => demo.asksDone > 1, { what: 'an ask of the fleet', timeoutMs: 25_000 });
  });

  it('keeps playing scenes, and the hub refuses none of its calls', async () => {
    const { scenesPlayed } = demo;
    await waitFor(() => demo.scenesPlayed > scenesPlayed + 3, {
      what: 'three more scenes',
      timeoutMs: 25_000,
    });
    expect(errors).toEqual([]);
  });
});
