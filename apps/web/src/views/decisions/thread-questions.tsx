import type { Chat } from '../../store/chat.ts';
import { QuestionCard } from './question-card.tsx';

const shownMax = 10;

/** Shows the newest ten open questions of the thread. The channel's timeline shows all of them. */
export function ThreadQuestions({ chat, threadId }: { chat: Chat; threadId: string }) {
  const open = [...chat.questions.value.values()].filter(
    (question) => question.threadId === threadId && question.state === 'open',
  );
  return (
    <>
      {open.slice(-shownMax).map((question) => (
        <QuestionCard
          key={question.questionId}
          chat={chat}
          opened={question}
          openedAtMs={null}
          isInThread
        />
      ))}
    </>
  );
}
