import { join } from 'node:path';
import { temporaryFolder } from '@openclaw/test-support';
import { describeChatStore } from './chat-store.contract.ts';

describeChatStore('SQLite', async () => {
  const folder = await temporaryFolder('chat-store');
  return { url: `sqlite:${join(folder.path, 'hub.sqlite')}`, stop: () => folder.remove() };
});
