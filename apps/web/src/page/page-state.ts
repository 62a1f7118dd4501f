import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { signal, type Signal } from '@preact/signals';
import type { Session } from '../session/session.ts';
import type { Theme } from './theme.ts';

/** A message that is being edited: another object begins anew. */
export interface Editing {
  readonly messageId: string;
  readonly seq: number;
  readonly isInThread: boolean;
}

/** What stands open on the page, beside where the reader is. */
export interface PageState {
  readonly session: Session;
  readonly theme: Theme;
  readonly pane: Signal<'none' | 'members' | 'search'>;
  readonly isDrawerOpen: Signal<boolean>;
  readonly isSwitcherOpen: Signal<boolean>;
  readonly isCreateOpen: Signal<boolean>;
  /** The message being edited, and where: a thread's first one stands in the channel and in the pane. */
  readonly editing: Signal<Editing | null>;
  /** The line to show, and to mark for a moment. */
  readonly target: Signal<{ readonly channelId: string; readonly seq: number } | null>;
  readonly signOut: () => void;
}

/** A page with nothing open. */
export function createPageState(session: Session, theme: Theme, signOut: () => void): PageState {
  return {
    ...{ session, theme, signOut },
    pane: signal('none'),
    isDrawerOpen: signal(false),
    isSwitcherOpen: signal(false),
    isCreateOpen: signal(false),
    editing: signal(null),
    target: signal(null),
  };
}

/** Brings the page's state to every view below. */
export const PageContext = createContext<PageState | null>(null);

/** The page that this view is a part of. */
export function usePage(): PageState {
  const page = useContext(PageContext);
  if (page === null) throw new Error('This view stands outside of a page');
  return page;
}
