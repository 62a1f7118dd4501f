import { useState } from 'preact/hooks';
import { hashOf } from '../../page/route.ts';
import { plainReason } from '../../page/plain-errors.ts';
import { revokeTokens, type FleetAgent } from '../../session/operations-request.ts';
import { usePage } from '../page-state.ts';
import { Dialog, DialogActions, focusWhenShown, Problem, TextField } from '../shared/controls.tsx';

type Act = 'limit' | 'kick' | 'freeze' | 'unfreeze' | 'revoke';

const reasonCharsMax = 128;
const perMinutes = [1, 6, 30, 120] as const;
const spans = [
  ['10 minutes', 600_000],
  ['1 hour', 3_600_000],
  ['1 day', 86_400_000],
  ['until it is lifted', null],
] as const;

const texts: Readonly<
  Record<Act, { readonly title: string; readonly text: string; readonly action: string }>
> = {
  limit: {
    title: 'Slow down',
    text: 'Further messages within a minute are refused. Reading and joining go on.',
    action: 'Slow down',
  },
  kick: {
    title: 'Kick',
    text: 'Its connections are closed on every hub. Its token stays valid, so it may connect again.',
    action: 'Kick',
  },
  freeze: {
    title: 'Freeze',
    text: 'It writes nothing more, on any hub, until the freeze is lifted. It may read.',
    action: 'Freeze',
  },
  unfreeze: {
    title: 'Unfreeze',
    text: 'It may write again, unless another freeze covers it.',
    action: 'Unfreeze',
  },
  revoke: {
    title: 'Revoke its tokens',
    text: 'All tokens that it has now end at once, and its connections with them. It needs a new token to return.',
    action: 'Revoke',
  },
};

export function AgentActions(props: { agent: FleetAgent; onDone: () => void }) {
  const { session } = usePage();
  const { agent, onDone } = props;
  const { agentId, frozen, limit } = agent;
  const [open, setOpen] = useState<Act | null>(null);
  const act = (name: Act, label = texts[name].title) => (
    <button onClick={() => setOpen(name)}>{label}</button>
  );
  const liftLimit = () => {
    session.client
      .call('agent.limit', { agentId, message: null })
      .then(onDone, session.notices.report(`The limit of ${agentId} stays`));
  };
  return (
    <div class="agent-actions">
      <a class="button" href={hashOf({ view: 'direct', agentId })}>
        Message
      </a>
      {act('limit')}
      {limit !== null && <button onClick={liftLimit}>Lift the limit</button>}
      {act('kick')}
      {frozen ? act('unfreeze') : act('freeze')}
      {/* A hub without tokens has nothing to revoke. */}
      {session.credentials.kind === 'token' && act('revoke', 'Revoke…')}
      {open !== null && (
        <ActDialog
          key={open}
          act={open}
          agentId={agentId}
          onClose={() => setOpen(null)}
          onDone={() => {
            setOpen(null);
            onDone();
          }}
        />
      )}
    </div>
  );
}

function ActDialog(props: { act: Act; agentId: string; onClose: () => void; onDone: () => void }) {
  const { act, agentId, onClose, onDone } = props;
  const { session } = usePage();
  const { client, credentials } = session;
  const [reason, setReason] = useState('');
  const [perMinute, setPerMinute] = useState<number>(6);
  const [forMs, setForMs] = useState<number | null>(spans[0][1]);
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const { title, text, action } = texts[act];
  const asksReason = act !== 'limit' && act !== 'unfreeze';
  const run = (): Promise<unknown> => {
    const why = reason.trim();
    switch (act) {
      case 'limit':
        return client.call('agent.limit', { agentId, message: `${perMinute}/60`, forMs });
      case 'kick':
        return client.call('agent.kick', { agentId, reason: why });
      case 'freeze':
        return client.freeze({ scope: 'agent', id: agentId, reason: why });
      case 'unfreeze':
        return client.unfreeze({ scope: 'agent', id: agentId });
      case 'revoke':
        return revokeTokens(credentials, agentId, why);
    }
  };
  const submit = (event: Event) => {
    event.preventDefault();
    setBusy(true);
    run().then(onDone, (error: unknown) => {
      setBusy(false);
      setProblem(plainReason(error));
    });
  };
  return (
    <Dialog label={title} onClose={onClose}>
      <form onSubmit={submit} class="column act-form">
        <h2>
          {title}: <bdi>{agentId}</bdi>
        </h2>
        <p>{text}</p>
        {act === 'limit' && (
          <>
            <Choice
              label="Messages a minute"
              options={perMinutes.map((count) => [String(count), count])}
              value={perMinute}
              onChoose={setPerMinute}
            />
            <Choice label="For" options={spans} value={forMs} onChoose={setForMs} />
          </>
        )}
        {asksReason && (
          <TextField
            ref={focusWhenShown}
            label="Reason, for the audit log"
            value={reason}
            maxLength={reasonCharsMax}
            required
            onText={setReason}
          />
        )}
        <Problem text={problem} />
        <DialogActions
          action={action}
          isDangerous={asksReason}
          isDisabled={isBusy || (asksReason && reason.trim() === '')}
          onCancel={onClose}
        />
      </form>
    </Dialog>
  );
}

function Choice<T extends number | null>(props: {
  label: string;
  options: readonly (readonly [string, T])[];
  value: T;
  onChoose: (value: T) => void;
}) {
  const { label, options, value, onChoose } = props;
  return (
    <label class="field">
      <span>{label}</span>
      <select
        value={options.findIndex(([, option]) => option === value)}
        onChange={(event) => {
          const chosen = options[Number(event.currentTarget.value)];
          if (chosen !== undefined) onChoose(chosen[1]);
        }}
      >
        {options.map(([name], index) => (
          <option key={name} value={index}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
