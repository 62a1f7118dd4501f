import { useRef, useState } from 'preact/hooks';
import { toggleChannel } from '../../session/choices.ts';
import type { Chat } from '../../store/chat.ts';
import { usePage } from '../page-state.ts';
import { IsolatedText } from '../shared/agents.tsx';
import { ConfirmDialog, IconButton, onEscape, useOutsidePress } from '../shared/controls.tsx';
import { BudgetDialog, maySetBudget } from '../decisions/budget-dialog.tsx';
import { mayFreeze } from '../freezes/freeze-banner.tsx';
import { FreezeDialog } from '../freezes/freeze-dialog.tsx';
import { ChannelSettings, DeleteChannel } from './channel-dialogs.tsx';

type Asked = 'leave' | 'archive' | 'settings' | 'delete' | 'freeze' | 'budget';

export function ChannelMenu({ chat }: { chat: Chat }) {
  const { session } = usePage();
  const [isOpen, setOpen] = useState(false);
  const [asked, setAsked] = useState<Asked | null>(null);
  const menu = useRef<HTMLDivElement>(null);
  useOutsidePress(menu, () => setOpen(false));
  const { name, kind, archivedAt } = chat.channel.value;
  const isOwner = kind !== 'direct' && chat.members.value.get(session.me)?.role === 'owner';
  const isArchived = archivedAt !== null;
  const isFrozen = session.freezes.list.value.some(
    ({ scope, id }) => scope === 'channel' && id === chat.id,
  );
  const { muted, favourites } = session.choices.value;
  const channel = session.client.channel(chat.id);
  const close = () => setAsked(null);
  const item = (text: string, run: () => void) => (
    <button
      onClick={() => {
        setOpen(false);
        run();
      }}
    >
      {text}
    </button>
  );
  const toggle = (list: 'muted' | 'favourites') => () =>
    toggleChannel(session.choices, list, chat.id);
  const leave = async () => {
    await channel.leave();
    session.chats.remove(chat.id);
    session.router.go({ view: 'browse' });
  };
  const setArchived = async (next: boolean) => {
    const result = await (next ? channel.archive() : channel.unarchive());
    chat.channel.value = result.channel;
  };
  return (
    <div class="menu-anchor" ref={menu}>
      <IconButton
        icon="more"
        label="More"
        aria-haspopup="true"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
        onKeyDown={onEscape(() => setOpen(false))}
      />
      {isOpen && (
        <div class="menu">
          {item(
            favourites.includes(chat.id) ? 'Remove from favourites' : 'Add to favourites',
            toggle('favourites'),
          )}
          {item(muted.includes(chat.id) ? 'Unmute' : 'Mute: only mentions count', toggle('muted'))}
          {item('Mark as read', () => session.chats.markAllSeen(chat))}
          {isOwner && !isArchived && item('Name and topic…', () => setAsked('settings'))}
          {!isArchived &&
            maySetBudget(session, chat) &&
            item('Turns of agents…', () => setAsked('budget'))}
          {kind !== 'direct' &&
            !isArchived &&
            !isFrozen &&
            mayFreeze(session, chat) &&
            item('Freeze its agents…', () => setAsked('freeze'))}
          {kind !== 'direct' && item('Leave this channel…', () => setAsked('leave'))}
          {isOwner && !isArchived && item('Archive this channel…', () => setAsked('archive'))}
          {isOwner &&
            isArchived &&
            item('Bring back from the archive', () => {
              setArchived(false).catch(session.notices.report('The channel is still archived'));
            })}
          {isOwner && item('Delete this channel…', () => setAsked('delete'))}
        </div>
      )}
      {asked === 'leave' && (
        <ConfirmDialog
          label="Leave this channel?"
          title={['Leave ', <IsolatedText text={name} />, '?']}
          text="You will no longer see its messages."
          action="Leave"
          isDangerous
          onClose={close}
          onConfirm={() => {
            close();
            leave().catch(session.notices.report('You did not leave'));
          }}
        />
      )}
      {asked === 'archive' && (
        <ConfirmDialog
          label="Archive this channel?"
          title={['Archive ', <IsolatedText text={name} />, '?']}
          text="It becomes read-only for everyone. An owner can bring it back."
          action="Archive"
          isDangerous
          onClose={close}
          onConfirm={() => {
            close();
            setArchived(true).catch(session.notices.report('The channel was not archived'));
          }}
        />
      )}
      {asked === 'budget' && <BudgetDialog chat={chat} threadId={null} onClose={close} />}
      {asked === 'freeze' && (
        <FreezeDialog
          frozen={{ scope: 'channel', id: chat.id, name: `the agents of #${name}` }}
          onClose={close}
        />
      )}
      {asked === 'settings' && <ChannelSettings chat={chat} onClose={close} />}
      {asked === 'delete' && <DeleteChannel chat={chat} onClose={close} />}
    </div>
  );
}
