import { useState } from 'preact/hooks';
import type { Ask, Message } from '@openclaw/protocol';
import { limits } from '@openclaw/protocol/wire';
import { plainReason } from '../../page/plain-errors.ts';
import { withAsk, type AskState } from '../../store/asks.ts';
import { isReadOnly, type Chat } from '../../store/chat.ts';
import { usePage } from '../page-state.ts';
import { AgentName, IsolatedText } from '../shared/agents.tsx';
import { BareField, Problem } from '../shared/controls.tsx';
import { fullTimeText, sinceText } from '../shared/format-time.ts';

const stateWords: Readonly<Record<AskState, string>> = {
  open: 'no answer yet',
  accepted: 'accepted',
  declined: 'declined',
  done: 'done',
  expired: 'no answer in time',
};

export function AskStates(props: { chat: Chat; askId: string; ask: NonNullable<Message['ask']> }) {
  const { chat, askId } = props;
  const { to, deadlineMs } = props.ask;
  const { session } = usePage();
  const answers = chat.asks.value.get(askId);
  const own = to.includes(session.me) ? (answers?.get(session.me)?.state ?? 'open') : null;
  return (
    <section class="ask" aria-label="Ask">
      <ul>
        {to.map((agentId) => {
          const { state, note } = answers?.get(agentId) ?? { state: 'open' as const, note: null };
          return (
            <li key={agentId}>
              <AgentName members={chat.members.value} agentId={agentId} />{' '}
              <span class={`ask-state ask-${state}`}>{stateWords[state]}</span>
              {note !== null && (
                <span class="quiet">
                  {' · '}
                  <IsolatedText text={note} />
                </span>
              )}
            </li>
          );
        })}
      </ul>
      <p class="quiet" title={fullTimeText(deadlineMs)}>
        {deadlineMs > Date.now() ? 'Answer until ' : 'The deadline was '}
        {sinceText(deadlineMs)}
      </p>
      {own !== null && !isReadOnly(chat) && (
        <OwnAnswer chat={chat} askId={askId} state={own} deadlineMs={deadlineMs} />
      )}
    </section>
  );
}

function OwnAnswer(props: { chat: Chat; askId: string; state: AskState; deadlineMs: number }) {
  const { chat, askId, state, deadlineMs } = props;
  const { client } = usePage().session;
  const [note, setNote] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const isOpen = state === 'open' && deadlineMs > Date.now();
  if (!isOpen && state !== 'accepted') return null;
  const run = async (
    call: (id: string, words: string | null) => Promise<{ readonly ask: Ask }>,
  ) => {
    setBusy(true);
    setProblem(null);
    try {
      const { ask } = await call(askId, note.trim() || null);
      chat.asks.value = withAsk(chat.asks.peek(), ask);
      setNote('');
    } catch (error) {
      setProblem(plainReason(error));
    } finally {
      setBusy(false);
    }
  };
  const step = (label: string, call: Parameters<typeof run>[0]) => (
    <button type="button" disabled={isBusy} onClick={() => void run(call)}>
      {label}
    </button>
  );
  return (
    <div class="ask-own">
      <BareField
        label="Note, if you like"
        value={note}
        maxLength={limits.noteChars}
        onText={setNote}
      />
      {isOpen && step('Accept', client.acceptAsk)}
      {isOpen && step('Decline', client.declineAsk)}
      {step('Done', client.finishAsk)}
      <Problem text={problem} />
    </div>
  );
}
