import type { Chat } from '../../store/chat.ts';
import { typingText } from '../../store/typing.ts';
import { usePage } from '../../page/page-state.ts';

/** Who is writing in the channel; always there, so that nothing moves when it changes. */
export function TypingLine({ chat }: { chat: Chat }) {
  const { me } = usePage().session;
  const agents = [...chat.typing.value.keys()].filter((agentId) => agentId !== me);
  const text = typingText(agents);
  return (
    <p class="typing-line" aria-live="off">
      {text !== null && (
        <>
          <span class="typing-dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          {text}
        </>
      )}
    </p>
  );
}
