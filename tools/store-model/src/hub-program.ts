// The store runs in its own process, so that it can be killed during a commit.
import { ChatStoreError, createChatStore, type ChatStore } from '@openclaw/chat-store';
import type { Answer, Question } from './hub-process.ts';

const [url = ''] = process.argv.slice(2);
const answer = (message: Answer) => process.connected && process.send?.(message);
const store = await createChatStore({ url });

process.on('message', ({ id, name, args }: Question) => {
  const calls = store as unknown as Record<
    string,
    (...args: readonly unknown[]) => Promise<unknown>
  >;
  calls[name]?.(...args).then(
    (value) => answer({ id, value }),
    (error: unknown) =>
      answer({ id, code: error instanceof ChatStoreError ? error.code : 'internal' }),
  );
});
process.on('disconnect', () => process.exit());
answer({ id: 0, value: store.epoch satisfies ChatStore['epoch'] });
