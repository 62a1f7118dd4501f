import { describe, expect, it } from '@jest/globals';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { limits } from '@openclaw/protocol';
import { range } from '../testing/seqs.ts';
import { startTestHub, temporaryDatabase } from '../testing/test-hub.ts';

const database = closeAfterAll(await temporaryDatabase());
const hub = closeAfterAll(await startTestHub({ HUB_DB_URL: database.url }));
const other = closeAfterAll(await startTestHub({ HUB_DB_URL: database.url }));

describe('the text of a deleted message', () => {
  // The edits are redacted later than the message, and hubs may still have the edits in memory.
  it('is in no answer after the deletion', async () => {
    await using ana = await hub.connect('ana');
    expect(ana.welcome.limits).toMatchObject({ edits: limits.edits });
    await ana.call('channel.create', { channelId: 'ops', name: 'Ops' });
    await ana.call('subscribe', { topics: [{ channelId: 'ops' }] });
    const message = { channelId: 'ops', content: 'secret 0', metadata: { hidden: 'secret' } };
    const { messageId } = await ana.call('message.send', message);
    const named = { channelId: 'ops', messageId };
    for (const n of range(1, 20))
      await ana.call('message.edit', { ...named, content: `secret ${n}` });
    await ana.call('message.send', { channelId: 'ops', content: 'kept' });
    const { seq } = await ana.call('message.delete', named);
    await ana.event((envelope) => envelope.seq === seq);

    for (const at of [hub, other]) {
      await using socket = await at.connect('ana');
      const topics = [{ channelId: 'ops', since: 0 }];
      const answers = [
        await socket.call('subscribe', { topics }),
        await socket.call('log.read', { channelId: 'ops', after: 0 }),
        await socket.call('message.history', { channelId: 'ops' }),
        await socket.call('message.history', { channelId: 'ops', after: 0, limit: 100 }),
        (await at.request('ana', 'GET', '/v1/channels/ops/messages')).body,
      ];
      for (const answer of answers) {
        expect(JSON.stringify(answer)).toContain('kept');
        expect(JSON.stringify(answer)).not.toContain('secret');
      }
      expect(answers[0].topics[0]).toMatchObject({ resumed: true, head: seq });
      expect(answers[0].topics[0].events).toHaveLength(seq);
    }
  });
});
