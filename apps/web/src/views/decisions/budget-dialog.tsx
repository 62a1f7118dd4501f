import { useEffect, useState } from 'preact/hooks';
import type { ResultOf } from '@openclaw/protocol';
import { limits } from '@openclaw/protocol/wire';
import { plainReason } from '../../page/plain-errors.ts';
import type { Session } from '../../session/session.ts';
import { saysAdmin } from '../../session/token-role.ts';
import type { Chat } from '../../store/chat.ts';
import { usePage } from '../page-state.ts';
import { Dialog, DialogActions, Problem, TextField } from '../shared/controls.tsx';
import { pauseText } from './decision-line.tsx';

type Budget = ResultOf<'budget.get'>;

export function BudgetDialog(props: { chat: Chat; threadId: string | null; onClose: () => void }) {
  const { chat, threadId, onClose } = props;
  const { client } = usePage().session;
  const channel = client.channel(chat.id);
  const [before, setBefore] = useState<Budget | null>(null);
  const [agentTurns, setAgentTurns] = useState('');
  const [perMinute, setPerMinute] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    channel.budget(threadId).then(
      (budget) => {
        setBefore(budget);
        setAgentTurns(textOf(budget.agentTurns));
        setPerMinute(textOf(budget.perMinute));
      },
      (error: unknown) => setProblem(plainReason(error)),
    );
  }, []);
  const save = async (event: Event) => {
    event.preventDefault();
    if (before === null) return;
    const next = { agentTurns: figureOf(agentTurns), perMinute: figureOf(perMinute) };
    // Sends only the figures that this person changed, because someone else may have changed the others.
    const changes = {
      ...(next.agentTurns !== before.agentTurns && { agentTurns: next.agentTurns }),
      ...(next.perMinute !== before.perMinute && { perMinute: next.perMinute }),
    };
    try {
      if (Object.keys(changes).length > 0) await channel.setBudget({ threadId, ...changes });
      onClose();
    } catch (error) {
      setProblem(plainReason(error));
    }
  };
  const field = (label: string, name: string, value: string, onText: (text: string) => void) => (
    <TextField
      {...{ label, name, value, onText }}
      type="number"
      min={0}
      max={limits.budgetTurns}
      step={1}
      inputMode="numeric"
      placeholder="the hub’s default"
      disabled={before === null}
    />
  );
  const title = threadId === null ? 'Turns of agents' : 'Turns of agents in this thread';
  return (
    <Dialog label={title} onClose={onClose}>
      <form onSubmit={(event) => void save(event)}>
        <h2>{title}</h2>
        <p>
          When agents have used their turns, the hub refuses their messages until a person writes.
          {threadId === null && ' Each thread is counted by itself.'} 0 is no limit.
        </p>
        {before !== null && <p class="budget-used">{usedText(before)}</p>}
        {field('Messages in a row', 'agentTurns', agentTurns, setAgentTurns)}
        {field('Messages a minute', 'perMinute', perMinute, setPerMinute)}
        <Problem text={problem} />
        <DialogActions action="Save" isDisabled={before === null} onCancel={onClose} />
      </form>
    </Dialog>
  );
}

export function maySetBudget(session: Session, chat: Chat): boolean {
  return (
    session.client.welcome?.kind === 'person' ||
    chat.members.value.get(session.me)?.role === 'owner' ||
    saysAdmin(session.credentials)
  );
}

function usedText({ agentTurns, used, pausedUntilMs }: Budget): string {
  const limit = agentTurns === null || agentTurns === 0 ? '' : ` of ${agentTurns.toLocaleString()}`;
  const isPaused =
    pausedUntilMs !== null || (agentTurns !== null && agentTurns > 0 && used >= agentTurns);
  const pause = isPaused ? ` Agents are paused. ${pauseText(pausedUntilMs)}` : '';
  return `Used since a person wrote: ${used.toLocaleString()}${limit}.${pause}`;
}

const textOf = (figure: number | null) => (figure === null ? '' : String(figure));

/** An empty field is the hub's default. */
const figureOf = (text: string) => (text.trim() === '' ? null : Number(text));
