import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { signal } from '@preact/signals';
import type { Theme } from '../page/theme.ts';
import { storageOfHub } from '../page/page-base.ts';
import { createAlerts } from '../session/alerts.ts';
import type { Session } from '../session/session.ts';
import { needText, needTitle, openNeed } from './needs/open-need.ts';
import { createMessageSearch } from './search/message-search.ts';

/** Setting a new object for the same message restarts the edit. */
export interface Editing {
  readonly messageId: string;
  readonly seq: number;
  /** The root message of a thread is shown twice: in the channel and in the thread. */
  readonly isInThread: boolean;
}

export type PageState = ReturnType<typeof createPageState>;

export function createPageState(session: Session, theme: Theme, signOut: () => void) {
  const { client, me, chats } = session;
  const search = createMessageSearch({ client, me, chats: chats.byId });
  const alerts = createAlerts({
    me,
    storage: storageOfHub(localStorage),
    needs: session.needs.open,
    isLoaded: session.needs.isLoaded,
    titleOf: (need) => needTitle(session, need),
    textOf: needText,
    onOpen(need) {
      openNeed(session, need).catch(session.notices.report('The message could not be opened'));
    },
  });
  return {
    session,
    alerts,
    theme,
    signOut,
    search,
    pane: signal<'none' | 'members' | 'search'>('none'),
    isDrawerOpen: signal(false),
    isSwitcherOpen: signal(false),
    isCreateOpen: signal(false),
    isStatusOpen: signal(false),
    isKeysOpen: signal(false),
    isAlertsOpen: signal(false),
    /** The focus returns to the need that was opened last. */
    openedNeed: signal<string | null>(null),
    editing: signal<Editing | null>(null),
    target: signal<{ readonly channelId: string; readonly seq: number } | null>(null),
    async close() {
      search.close();
      alerts.close();
      await session.close();
    },
  };
}

export const PageContext = createContext<PageState | null>(null);

export function usePage(): PageState {
  const page = useContext(PageContext);
  if (page === null) throw new Error('This view is not inside a PageContext');
  return page;
}
