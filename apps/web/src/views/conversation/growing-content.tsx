import { useState } from 'preact/hooks';
import type { Message } from '@openclaw/protocol';
import { parseMarkdown } from '../../markdown/parse.ts';
import { renderMarkdown } from '../../markdown/render.ts';
import type { Chat } from '../../store/chat.ts';
import { usePage } from '../page-state.ts';

export function GrowingContent({ chat, message }: { chat: Chat; message: Message }) {
  const { me, chats } = usePage().session;
  const [text] = useState(() => chats.growth.follow(chat, message));
  return (
    <div class="content growing">
      {renderMarkdown(parseMarkdown(text.value), { me, mentions: message.mentions })}
      <span class="growing-mark" role="img" aria-label="still writing" />
    </div>
  );
}

/** Null for a message that still grows or ended as planned. */
export const endWords: Readonly<Record<Message['state'], string | null>> = {
  complete: null,
  streaming: null,
  stopped: 'stopped',
  failed: 'failed',
  interrupted: 'interrupted',
};
