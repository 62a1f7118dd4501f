import { useState } from 'preact/hooks';
import { HubError } from '@openclaw/client';
import { limits } from '@openclaw/protocol/wire';
import type { Question } from '@openclaw/protocol';
import { visibleString } from '../../markdown/visible-text.ts';
import { channelRoute, hashOf } from '../../page/route.ts';
import { plainReason } from '../../page/plain-errors.ts';
import { nameInText } from '../../store/agent-names.ts';
import { isReadOnly, type Chat } from '../../store/chat.ts';
import { withQuestion } from '../../store/questions.ts';
import { usePage } from '../page-state.ts';
import { AgentName, Avatar, IsolatedText } from '../shared/agents.tsx';
import { Problem } from '../shared/controls.tsx';
import { fullTimeText, sinceText, timeText } from '../shared/format-time.ts';

const stateWords: Readonly<Record<Question['state'], string>> = {
  open: 'Open',
  answered: 'Answered',
  expired: 'Expired without an answer',
  cancelled: 'Cancelled',
};
const namedMax = 8;

type Answer = { readonly optionId: string } | { readonly text: string };

export function QuestionCard(props: {
  chat: Chat;
  opened: Question;
  openedAtMs: number | null;
  isInThread: boolean;
}) {
  const { chat, opened, openedAtMs } = props;
  const { session } = usePage();
  const { client, me } = session;
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const question = chat.questions.value.get(opened.questionId) ?? opened;
  const { questionId, threadId, openedBy, title, options, state, answers } = question;
  const nameOf: NameOf = (agentId) => nameInText(chat.members.value, agentId);
  const isOpen = state === 'open' && !isReadOnly(chat);
  const mayAnswer = isOpen && isResponder(question, me, client.welcome?.kind ?? 'agent');
  const isOwner = chat.members.value.get(me)?.role === 'owner';
  const own = answers.find(({ agentId }) => agentId === me);
  const take = (next: Question) => {
    chat.questions.value = withQuestion(chat.questions.peek(), next);
  };
  const run = async (call: () => Promise<{ readonly question: Question }>) => {
    setBusy(true);
    setProblem(null);
    try {
      take((await call()).question);
    } catch (error) {
      const known = error instanceof HubError ? error.data.question : undefined;
      if (known !== undefined) take(known);
      setProblem(plainReason(error));
    } finally {
      setBusy(false);
    }
  };
  const answer = (given: Answer) => void run(() => client.answerQuestion(questionId, given));
  return (
    <section class={`question question-${state}`} aria-label={`Question: ${visibleString(title)}`}>
      <header class="line small">
        <Avatar agentId={openedBy} isSmall />
        <span class="fill">
          <b>
            <AgentName members={chat.members.value} agentId={openedBy} />
          </b>{' '}
          asks{' '}
          {openedAtMs !== null && (
            <time class="quiet" title={fullTimeText(openedAtMs)}>
              {timeText(openedAtMs)}
            </time>
          )}
          {threadId !== null && !props.isInThread && (
            <>
              {' '}
              <a href={hashOf(channelRoute(chat.id, threadId))}>in a thread</a>
            </>
          )}
        </span>
        <span class={`question-state question-state-${state}`}>{stateWords[state]}</span>
      </header>
      <p class="question-title">
        <IsolatedText text={title} />
      </p>
      {options.length > 0 ? (
        <ul class="question-options">
          {options.map(({ id, label }) => (
            <Option
              key={id}
              label={label}
              isWinner={question.optionId === id}
              isOwn={own?.optionId === id}
              voters={answers
                .filter(({ optionId }) => optionId === id)
                .map(({ agentId }) => nameOf(agentId))}
              onChoose={mayAnswer && !isBusy ? () => answer({ optionId: id }) : null}
              isButton={mayAnswer}
            />
          ))}
        </ul>
      ) : (
        question.text !== null && (
          <blockquote>
            <IsolatedText text={question.text} />
            {answers.length > 0 && (
              <footer class="quiet small">{nameOf(answers.at(-1)?.agentId ?? '')}</footer>
            )}
          </blockquote>
        )
      )}
      {mayAnswer && options.length === 0 && (
        <TextAnswer
          label={`Answer: ${visibleString(title)}`}
          isBusy={isBusy}
          onAnswer={(text) => answer({ text })}
        />
      )}
      <Problem text={problem} extraClass="small" />
      <footer class="line small quiet">
        <span class="fill">
          <Rules question={question} nameOf={nameOf} />
        </span>
        {isOpen && (openedBy === me || isOwner) && (
          <button
            class="link"
            disabled={isBusy}
            onClick={() => void run(() => client.cancelQuestion(questionId))}
          >
            Cancel the question
          </button>
        )}
      </footer>
    </section>
  );
}

type NameOf = (agentId: string) => string;

function isResponder(question: Question, me: string, kind: string): boolean {
  return question.responders === null
    ? kind === 'person' && question.openedBy !== me
    : question.responders.includes(me);
}

function Rules({ question, nameOf }: { question: Question; nameOf: NameOf }) {
  const { responders, quorum, expiresMs, state, openedBy } = question;
  const until = expiresMs === null || state !== 'open' ? '' : ` · until ${sinceText(expiresMs)}`;
  const needed = quorum === 1 ? 'the first answer ends it' : `${quorum} equal answers end it`;
  return (
    <>
      {responders === null ? (
        <>
          Any person but <IsolatedText text={nameOf(openedBy)} />
        </>
      ) : (
        <IsolatedText text={namesOf(responders.map(nameOf))} />
      )}
      {` may answer · ${needed}${until}`}
    </>
  );
}

function namesOf(names: readonly string[]): string {
  const shown = names.slice(0, namedMax).join(', ');
  return names.length > namedMax ? `${shown} and ${names.length - namedMax} more` : shown;
}

function Option(props: {
  label: string;
  isWinner: boolean;
  isOwn: boolean;
  voters: readonly string[];
  isButton: boolean;
  onChoose: (() => void) | null;
}) {
  const { label, isWinner, isOwn, voters, isButton, onChoose } = props;
  return (
    <li class={isWinner ? 'question-winner' : ''}>
      {isButton ? (
        <button aria-pressed={isOwn} disabled={onChoose === null} onClick={onChoose ?? undefined}>
          <IsolatedText text={label} />
        </button>
      ) : (
        <span class="question-option">
          {isWinner && '✓ '}
          <IsolatedText text={label} />
        </span>
      )}
      {voters.length > 0 && (
        <span class="quiet small">
          {voters.length === 1 ? '1 vote: ' : `${voters.length} votes: `}
          <IsolatedText text={namesOf(voters)} />
        </span>
      )}
    </li>
  );
}

function TextAnswer(props: { label: string; isBusy: boolean; onAnswer: (text: string) => void }) {
  const [text, setText] = useState('');
  return (
    <form
      class="question-text"
      onSubmit={(event) => {
        event.preventDefault();
        props.onAnswer(text.trim());
      }}
    >
      <textarea
        aria-label={props.label}
        dir="auto"
        rows={2}
        maxLength={limits.answerChars}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <button class="primary" type="submit" disabled={props.isBusy || text.trim() === ''}>
        Answer
      </button>
    </form>
  );
}
