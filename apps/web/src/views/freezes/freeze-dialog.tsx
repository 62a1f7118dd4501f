import { useState } from 'preact/hooks';
import { limits } from '@openclaw/protocol/wire';
import { plainReason } from '../../page/plain-errors.ts';
import type { Freeze } from '../../session/freezes.ts';
import { usePage } from '../page-state.ts';
import { IsolatedText } from '../shared/agents.tsx';
import { Dialog, DialogActions, focusWhenShown, Problem, TextField } from '../shared/controls.tsx';

export interface Frozen extends Pick<Freeze, 'scope' | 'id'> {
  readonly name: string;
}

export function FreezeDialog({ frozen, onClose }: { frozen: Frozen; onClose: () => void }) {
  const { session } = usePage();
  const { scope, id, name } = frozen;
  const [reason, setReason] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await session.client.freeze({ scope, ...(id !== null && { id }), reason: reason.trim() });
      void session.freezes.read();
      onClose();
    } catch (error) {
      setProblem(plainReason(error));
      setBusy(false);
    }
  };
  return (
    <Dialog label="Freeze" onClose={onClose}>
      <form onSubmit={(event) => void submit(event)}>
        <h2>
          Freeze <IsolatedText text={name} />?
        </h2>
        <p>
          {scope === 'hub'
            ? 'No agent writes anything on any hub, until the freeze is lifted. People go on.'
            : 'Agents write nothing more in this channel, until the freeze is lifted. They may read, and people go on.'}
        </p>
        <TextField
          ref={focusWhenShown}
          label="Reason, which agents and people see"
          name="reason"
          value={reason}
          maxLength={limits.reasonChars}
          required
          onText={setReason}
        />
        <Problem text={problem} />
        <DialogActions
          action="Freeze"
          isDangerous
          isDisabled={isBusy || reason.trim() === ''}
          onCancel={onClose}
        />
      </form>
    </Dialog>
  );
}
