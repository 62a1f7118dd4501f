import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { signal, type Signal } from '@preact/signals';
import type { Theme } from '../page/theme.ts';
import type { Session } from '../session/session.ts';

/** An edit in progress; another object for the same message starts it again. */
export interface Editing {
  readonly messageId: string;
  readonly seq: number;
  /** The root message of a thread is shown twice: in the channel and in the thread. */
  readonly isInThread: boolean;
}

/** The state that the views share. */
export interface PageState {
  readonly session: Session;
  readonly theme: Theme;
  readonly pane: Signal<'none' | 'members' | 'search'>;
  readonly isDrawerOpen: Signal<boolean>;
  readonly isSwitcherOpen: Signal<boolean>;
  readonly isCreateOpen: Signal<boolean>;
  readonly editing: Signal<Editing | null>;
  /** The entry to scroll to and to highlight. */
  readonly target: Signal<{ readonly channelId: string; readonly seq: number } | null>;
  readonly signOut: () => void;
}

export function createPageState(session: Session, theme: Theme, signOut: () => void): PageState {
  return {
    session,
    theme,
    signOut,
    pane: signal('none'),
    isDrawerOpen: signal(false),
    isSwitcherOpen: signal(false),
    isCreateOpen: signal(false),
    editing: signal(null),
    target: signal(null),
  };
}

export const PageContext = createContext<PageState | null>(null);

export function usePage(): PageState {
  const page = useContext(PageContext);
  if (page === null) throw new Error('This view is not inside a PageContext');
  return page;
}
