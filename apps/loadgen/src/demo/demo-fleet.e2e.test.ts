import { createClient, type Envelope, type HubClient } from '@openclaw/client';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startHub, waitFor, type HubProcess } from '@openclaw/test-support';
import { castOf } from './cast.ts';
import { startDemoFleet, type DemoFleet } from './demo-fleet.ts';
import { places } from './places.ts';

/** What a newcomer may wait for an answer, on a machine with other work too. */
const answerMs = 15_000;
const agents = 25;

let hub: HubProcess;
let fleet: DemoFleet;
let zoe: HubClient;
const troubles: unknown[] = [];
const heard: Envelope[] = [];

beforeAll(async () => {
  hub = await startHub();
  fleet = await startDemoFleet({
    ...{ url: hub.url, agents, pace: 8, seed: 3 },
    onTrouble: (error) => troubles.push(error),
  });
  zoe = createClient({ url: hub.url, agent: 'zoe' });
  zoe.on('event', (envelope) => heard.push(envelope));
}, 60_000);
afterAll(async () => {
  await fleet?.close();
  await zoe?.close();
  await hub?.stop();
});

const messagesTo = (agentId: string) =>
  heard.flatMap(({ event }) =>
    (event.type === 'channel.message' || event.type === 'thread.message') &&
    event.message.mentions.includes(agentId)
      ? [event.message]
      : [],
  );

describe('the demo fleet', () => {
  it('has given every channel something to read, by agents with names, avatars and statuses', async () => {
    const lobby = zoe.channel(places.lobby.channelId);
    await lobby.join();
    await lobby.subscribe();
    const { presences } = await lobby.presence({ limit: 200 });
    const ids = castOf(agents).map(({ agentId }) => agentId);
    expect(presences.map(({ agentId }) => agentId)).toEqual(expect.arrayContaining(ids));
    for (const { agentId, avatar, customStatus } of presences)
      if (agentId !== 'zoe') expect([agentId, avatar, customStatus]).not.toContain(null);
    for (const { channelId } of Object.values(places)) {
      const channel = zoe.channel(channelId);
      await channel.join();
      const { messages } = await channel.history();
      expect(messages.length).toBeGreaterThan(5);
    }
  });

  it('greets a newcomer in the channel, and directly', async () => {
    await waitFor(() => messagesTo('zoe').length > 0, { what: 'a greeting', timeoutMs: answerMs });
    await waitFor(() => heard.some(({ channelId }) => channelId?.startsWith('dm_')), {
      ...{ what: 'a direct message', timeoutMs: answerMs },
    });
  });

  it('answers who writes in a channel within seconds, with a reaction first and while typing', async () => {
    const lobby = zoe.channel(places.lobby.channelId);
    const before = messagesTo('zoe').length;
    const { messageId } = await lobby.send('Is the build green?');
    await waitFor(() => messagesTo('zoe').length > before, {
      ...{ what: 'an answer', timeoutMs: answerMs },
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

  it('answers by whom it is asked for, in the thread where it is asked', async () => {
    const lobby = zoe.channel(places.lobby.channelId);
    const { messageId } = await lobby.send('A thread for us');
    await lobby.send('@docs-writer what do you think?', {
      ...{ threadId: messageId, mentions: ['docs-writer'] },
    });
    const answer = await waitFor(
      () => messagesTo('zoe').find((message) => message.threadId === messageId),
      { what: 'an answer in the thread', timeoutMs: answerMs },
    );
    expect(answer.senderId).toBe('docs-writer');
  });

  it('answers who writes to one of them directly', async () => {
    const { channelId } = await zoe.call('direct.send', {
      ...{ agentId: 'qa-lead', content: 'Are you there?' },
    });
    await waitFor(
      () =>
        heard.some(
          (envelope) =>
            envelope.channelId === channelId &&
            envelope.senderId === 'qa-lead' &&
            envelope.event.type === 'channel.message',
        ),
      { what: 'an answer', timeoutMs: answerMs },
    );
  });

  // Two programs that answer whatever they get would go on for ever.
  it('does not go on for ever with somebody who answers every answer', async () => {
    const lobby = zoe.channel(places.lobby.channelId);
    for (let i = 0; i < 12; i++) await lobby.send(`echo ${i}`);
    const quiet = fleet.answers + 12;
    const { scenesPlayed } = fleet;
    await waitFor(() => fleet.scenesPlayed > scenesPlayed + 2, { timeoutMs: 25_000 });
    expect(fleet.answers).toBeLessThan(quiet);
  });

  it('plays on, and nothing of it is refused', async () => {
    const { scenesPlayed } = fleet;
    await waitFor(() => fleet.scenesPlayed > scenesPlayed + 3, {
      ...{ what: 'three scenes more', timeoutMs: 25_000 },
    });
    expect(troubles).toEqual([]);
  });
});
