import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { methods } from '@openclaw/protocol';
import { temporaryFolder } from '@openclaw/test-support';
import { createChatStore } from './index.ts';

it('does what the README shows', async () => {
  const folder = await temporaryFolder('readme');
  const store = await createChatStore({ url: `sqlite:${join(folder.path, '.data/hub.sqlite')}` });
  const alice = { agentId: 'alice', isAdmin: false };

  const channel = { channelId: 'general', name: 'General' };
  await store.append(alice, 'channel.create', methods['channel.create'].params.parse(channel));
  const message = { channelId: 'general', content: 'hello', clientMessageId: 'mine-1' };
  const send = methods['message.send'].params.parse(message);
  const sent = await store.append(alice, 'message.send', send);
  expect(sent).toMatchObject({
    ok: true,
    result: { seq: 2 },
    events: [{ event: { json: expect.any(String) } }],
  });
  await store.close();
  await folder.remove();
});
