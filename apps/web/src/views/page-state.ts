import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { signal } from '@preact/signals';
import type { Theme } from '../page/theme.ts';
import type { Session } from '../session/session.ts';
import { createMessageSearch } from './search/message-search.ts';

/** An edit in progress. Setting a new object for the same message restarts the edit. */
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
  return {
    session,
    theme,
    signOut,
    search,
    pane: signal<'none' | 'members' | 'search'>('none'),
    isDrawerOpen: signal(false),
    isSwitcherOpen: signal(false),
    isCreateOpen: signal(false),
    isStatusOpen: signal(false),
    isKeysOpen: signal(false),
    editing: signal<Editing | null>(null),
    target: signal<{ readonly channelId: string; readonly seq: number } | null>(null),
    async close() {
      search.close();
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
