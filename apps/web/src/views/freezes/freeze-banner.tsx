import { useState } from 'preact/hooks';
import type { Freeze } from '../../session/freezes.ts';
import { saysAdmin } from '../../session/token-role.ts';
import type { Chat } from '../../store/chat.ts';
import { usePage } from '../page-state.ts';
import { IsolatedText } from '../shared/agents.tsx';
import { sinceText } from '../shared/format-time.ts';

export function HubFreeze() {
  const { session } = usePage();
  const freeze = session.freezes.list.value.find(({ scope }) => scope === 'hub');
  if (freeze === undefined) return null;
  return (
    <Banner freeze={freeze} what="All agents are frozen" mayLift={saysAdmin(session.credentials)} />
  );
}

export function ChannelFreeze({ chat }: { chat: Chat }) {
  const { session } = usePage();
  const freeze = session.freezes.list.value.find(
    ({ scope, id }) => scope === 'channel' && id === chat.id,
  );
  if (freeze === undefined) return null;
  return (
    <Banner freeze={freeze} what="Agents are frozen here" mayLift={mayFreeze(session, chat)} />
  );
}

export function AgentFreeze({ agentId }: { agentId: string }) {
  const { session } = usePage();
  const freeze = session.freezes.list.value.find(
    ({ scope, id }) => scope === 'agent' && id === agentId,
  );
  if (freeze === undefined) return null;
  return (
    <Banner
      freeze={freeze}
      what={`${agentId} is frozen`}
      mayLift={saysAdmin(session.credentials)}
    />
  );
}

export function mayFreeze(session: ReturnType<typeof usePage>['session'], chat: Chat): boolean {
  if (saysAdmin(session.credentials)) return true;
  const isOwner = chat.members.value.get(session.me)?.role === 'owner';
  return isOwner && session.client.welcome?.kind === 'person';
}

function Banner(props: { freeze: Freeze; what: string; mayLift: boolean }) {
  const { what, mayLift } = props;
  const { scope, id, reason, by, atMs } = props.freeze;
  const { session } = usePage();
  const [isBusy, setBusy] = useState(false);
  const lift = () => {
    setBusy(true);
    session.client
      .unfreeze({ scope, ...(id !== null && { id }) })
      .then(() => session.freezes.read())
      .catch(session.notices.report('The freeze stays'))
      .finally(() => setBusy(false));
  };
  return (
    <div class="freeze-banner line" role="status">
      <p class="fill">
        <strong>
          <IsolatedText text={what} />
        </strong>{' '}
        by <IsolatedText text={by} /> since {sinceText(atMs)}
        {reason !== '' && (
          <>
            : <IsolatedText text={reason} />
          </>
        )}
      </p>
      {mayLift && (
        <button disabled={isBusy} onClick={lift}>
          Lift the freeze
        </button>
      )}
    </div>
  );
}
