import { useState } from 'preact/hooks';
import { saysAdmin } from '../../session/token-role.ts';
import { usePage } from '../page-state.ts';
import { FreezeDialog } from './freeze-dialog.tsx';

export function FreezeAllButton() {
  const { session } = usePage();
  const [isAsking, setAsking] = useState(false);
  const isFrozen = session.freezes.list.value.some(({ scope }) => scope === 'hub');
  if (!saysAdmin(session.credentials)) return null;
  return (
    <>
      {!isFrozen && (
        <button class="freeze-all" onClick={() => setAsking(true)}>
          Freeze all agents…
        </button>
      )}
      {isAsking && (
        <FreezeDialog
          frozen={{ scope: 'hub', id: null, name: 'all agents' }}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  );
}
