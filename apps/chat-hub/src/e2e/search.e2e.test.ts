import { waitFor } from '@openclaw/test-support';
import { describe, expect, it } from '@jest/globals';
import { startTwoHubs } from '../testing/two-hubs.ts';

const { hubA, hubB } = await startTwoHubs();

interface Page {
  readonly hits: readonly { readonly messageId: string; readonly snippet: string }[];
}

describe('message.search on two hubs', () => {
  it('finds a message within a second of its commit, over WebSocket and REST', async () => {
    const channelId = 'found';
    const ana = await hubA.connect('ana');
    const ben = await hubB.connect('ben');
    await ana.call('channel.create', { channelId, name: channelId, kind: 'private' });
    await ana.call('member.add', { channelId, agentId: 'ben' });
    // The second message is sent only after the first one is found, so that the index is idle then.
    for (const content of ['warm up', 'Deploy failed: timeout']) {
      const { messageId } = await ana.call('message.send', { channelId, content });
      const query = content.split(' ')[1];
      const isFound = async () => {
        const { hits } = (await ben.call('message.search', { query })) as Page;
        return hits.some((hit) => hit.messageId === messageId);
      };
      await waitFor(isFound, { timeoutMs: 1_000, what: `"${query}" in the index` });
    }
    const params = { query: '"deploy failed"', channelId };
    const found = await hubA.request('ben', 'POST', '/v1/call/message.search', params);
    const hits = [{ channelId, senderId: 'ana', snippet: 'Deploy failed: timeout' }];
    expect([found.status, found.body]).toMatchObject([200, { hits, nextCursor: null }]);
    const outsider = await hubA.request('eve', 'POST', '/v1/call/message.search', params);
    expect([outsider.status, outsider.body]).toMatchObject([404, { error: { code: 'not_found' } }]);
    const wordless = { ...params, query: '…' };
    expect((await hubA.request('ben', 'POST', '/v1/call/message.search', wordless)).status).toBe(
      400,
    );
    await Promise.all([ana.close(), ben.close()]);
  });

  // The race: one hub deletes a message and the other searches at once.
  it('never finds a deleted message after the answer to its deletion', async () => {
    const channelId = 'deleted';
    const ana = await hubA.connect('ana');
    const ben = await hubB.connect('ben');
    await ana.call('channel.create', { channelId, name: channelId });
    await ben.call('channel.join', { channelId });
    const sent = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        ana.call('message.send', { channelId, content: `doomed number ${n}` }),
      ),
    );
    const search = async () =>
      ((await ben.call('message.search', { query: 'doomed', limit: 200 })) as Page).hits;
    await waitFor(async () => (await search()).length === sent.length, { what: 'all messages' });
    const gone = new Set<string>();
    for (const { messageId } of sent) {
      await ana.call('message.delete', { channelId, messageId });
      gone.add(messageId);
      expect((await search()).filter((hit) => gone.has(hit.messageId))).toEqual([]);
    }
    await Promise.all([ana.close(), ben.close()]);
  });
});

describe('an agent with two connections', () => {
  it('gets a notice on the other one when it creates, joins or leaves a channel itself', async () => {
    const [here, there] = await Promise.all([hubA.connect('tia'), hubB.connect('tia')]);
    const owner = await hubA.connect('ana');
    await owner.call('channel.create', { channelId: 'joined', name: 'joined' });
    await here.call('channel.create', { channelId: 'own', name: 'own' });
    const joinOf = (channelId: string) =>
      there.notification(
        'notice',
        (envelope) =>
          envelope.event.type === 'channel.member.join' && envelope.channelId === channelId,
      );
    await joinOf('own');
    await here.call('channel.join', { channelId: 'joined' });
    await joinOf('joined');
    await here.call('channel.leave', { channelId: 'joined' });
    await there.notification('notice', ({ event }) => event.type === 'channel.member.leave');
    await Promise.all([here.close(), there.close(), owner.close()]);
  });
});
