import type { Chat } from '../../store/chat.ts';
import { usePage } from '../page-state.ts';
import { AgentName, IsolatedText } from '../shared/agents.tsx';
import { turnWords } from './turn-words.ts';

const namedMax = 4;

export function TurnLine({ chat, threadId }: { chat: Chat; threadId: string | null }) {
  const { turns } = usePage().session;
  const place = `${chat.id} ${threadId ?? ''}`;
  const nowMs = Date.now();
  const here = [...turns.value].filter(
    ([, turn]) => turn.place === place && turn.state !== 'idle' && turn.untilMs > nowMs,
  );
  if (here.length === 0) return null;
  const more = here.length - namedMax;
  return (
    <ul class="turn-line quiet small">
      {here.slice(0, namedMax).map(([agentId, { state, label, queueDepth }]) => (
        <li key={agentId} class="ellipsis">
          <b>
            <AgentName members={chat.members.value} agentId={agentId} />
          </b>{' '}
          {turnWords[state] ?? state}
          {label !== null && (
            <>
              : <IsolatedText text={label} />
            </>
          )}
          {queueDepth !== null && queueDepth > 0 && ` · ${queueDepth} more wait for it`}
        </li>
      ))}
      {more > 0 && <li>and {more === 1 ? 'one other' : `${more} others`}</li>}
    </ul>
  );
}
