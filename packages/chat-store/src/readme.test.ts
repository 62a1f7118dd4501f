import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { temporaryFolder } from '@openclaw/test-support';
import { createChatStore } from './index.ts';

it('does what the README shows', async () => {
  const folder = await temporaryFolder('readme');
  const store = await createChatStore({ url: `sqlite:${join(folder.path, '.data/hub.sqlite')}` });
  const alice = { agentId: 'alice', isAdmin: false };

  const created = await store.append(alice, 'channel.create', {
    ...{ name: 'General', channelId: 'general', kind: 'public', topic: null, metadata: null },
  });
  const sent = await store.append(alice, 'message.send', {
    ...{ channelId: 'general', content: 'hello', threadId: null, mentions: [], metadata: null },
    clientMessageId: 'mine-1',
  });
  expect(created.ok).toBe(true);
  expect(sent).toMatchObject({
    ok: true,
    result: { seq: 2 },
    events: [{ event: { json: expect.any(String) } }],
  });
  await store.close();
  await folder.remove();
});
