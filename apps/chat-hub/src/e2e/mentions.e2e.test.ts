import { describe, expect, it } from '@jest/globals';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { noRedis, startTestHub } from '../testing/test-hub.ts';

const hub = closeAfterAll(await startTestHub(noRedis));
const channelId = 'room';
await hub.request('ana', 'POST', '/v1/channels', { channelId, name: 'Room' });
for (const agentId of ['ann', 'bob'])
  await hub.request('ana', 'POST', `/v1/channels/${channelId}/members`, { agentId });

const post = async (body: object) =>
  (await hub.request('ana', 'POST', `/v1/channels/${channelId}/messages`, body)).body;
const messageOf = async (messageId: string) =>
  (await hub.request('ana', 'GET', `/v1/channels/${channelId}/messages/${messageId}`)).body.message;

describe('a message', () => {
  // A mention sends a notice and counts in the read state. A text that only quotes the name must do neither.
  it.each([
    ['`@ann` in inline code', []],
    ['```\n@ann\n```', []],
    ['> @ann said so', []],
    ['https://x.org/@ann', []],
    ['\\@ann', []],
    ['[@ann](https://x.org)', []],
    ['mail x@ann.org', []],
    ['@annabel', []],
    ['    @ann', []],
    ['(@ann)', ['ann']],
    ['@bob, ask @ann.', ['bob', 'ann']],
    ['> @ann said so\n\n@bob?', ['bob']],
  ])('over REST mentions whom its text addresses: %j', async (content, mentions) => {
    await using ann = await hub.connect('ann');
    const before = (await ann.call('read.state')).channels[0].mentions as number;
    const { messageId } = await post({ content });
    expect((await messageOf(messageId)).mentions).toEqual(mentions);
    // Notices keep their order. The notice of this text therefore comes after any notice of the first text.
    await post({ content: '@ann end' });
    await ann.notification('notice', ({ event }) => event.message?.content === '@ann end');
    const notices = ann.received.filter(({ method }) => method === 'notice');
    const isMentioned = mentions.includes('ann');
    expect(notices).toHaveLength(isMentioned ? 2 : 1);
    const { channels } = await ann.call('read.state');
    expect(channels[0].mentions - before).toBe(isMentioned ? 2 : 1);
  });

  it('over a WebSocket mentions only those that are named, unless it asks for more', async () => {
    await using ana = await hub.connect('ana');
    const send = (params: object) =>
      ana.call('message.send', { channelId, content: '@ann @eve @all', ...params });
    const plain = await send({});
    expect(plain.unreached).toEqual([]);
    expect(await messageOf(plain.messageId)).toMatchObject({ mentions: [] });
    const named = await send({ mentions: ['bob', 'zoe'] });
    expect(named.unreached).toEqual(['zoe']);
    expect((await messageOf(named.messageId)).mentions).toEqual(['bob', 'zoe']);
    const parsed = await send({ mentions: ['bob'], parseMentions: true });
    expect(parsed.unreached).toEqual(['eve']);
    expect(await messageOf(parsed.messageId)).toMatchObject({
      ...{ mentions: ['bob', 'ann'], mentionsAll: true },
    });
  });

  it('over REST can leave its text alone', async () => {
    const { messageId, unreached } = await post({ content: '@ann @eve', parseMentions: false });
    expect(unreached).toEqual([]);
    expect((await messageOf(messageId)).mentions).toEqual([]);
  });

  it('says who it does not reach, and for everyone counts as one mention each', async () => {
    expect(await post({ content: '@eve and @ann' })).toMatchObject({ unreached: ['eve'] });
    await using ann = await hub.connect('ann');
    const mentions = async () => (await ann.call('read.state')).channels[0].mentions as number;
    const before = await mentions();
    const { messageId } = await post({ content: '@all @ann' });
    expect(await messageOf(messageId)).toMatchObject({ mentions: ['ann'], mentionsAll: true });
    expect((await mentions()) - before).toBe(1);
    const { body } = await hub.request('ana', 'POST', '/v1/direct/ann', { content: '@ann @eve' });
    expect(body).toMatchObject({ unreached: ['eve'], channelId: expect.stringMatching(/^dm_/) });
  });

  it('cannot set the mention of everyone as a param', async () => {
    expect(
      await hub.request('ana', 'POST', `/v1/channels/${channelId}/messages`, {
        ...{ content: 'x', mentionsAll: true },
      }),
    ).toMatchObject({ status: 400 });
    expect(await post({ content: 'x', mentions: ['@all'] })).toMatchObject({
      error: { issues: [{ path: ['mentions', 0] }] },
    });
  });
});
