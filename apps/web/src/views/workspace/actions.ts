import { channelRoute } from '../../page/route.ts';
import { toggleChannel } from '../../session/choices.ts';
import type { PageState } from '../page-state.ts';
import { openSearch } from '../search/search-pane.tsx';
import { chatBeside, openChat } from './chat-order.ts';

export interface Action {
  readonly id: string;
  readonly name: string;
  /** The text is for people, such as `Alt Shift ↓`. Null when the action has no keys. */
  readonly keys: string | null;
  readonly isPressed: ((event: KeyboardEvent) => boolean) | null;
  readonly run: () => void;
}

const withAlt =
  (key: string, shiftKey: boolean) =>
  (event: KeyboardEvent): boolean =>
    event.altKey && event.shiftKey === shiftKey && !event.ctrlKey && event.key === key;

/** The meaning of these keys depends on the focus. */
export const localKeys: readonly (readonly [keys: string, name: string])[] = [
  ['Enter', 'Send the message'],
  ['Shift Enter', 'Begin a new line'],
  ['↑', 'Edit your last message, when the editor is empty'],
  ['E, S, Z', 'In “Needs you”: done, snooze for an hour, undo'],
  ['U', 'Mark a message unread, while it has the focus'],
  ['Tab', 'Complete a name after @'],
  ['Esc', 'Close what is open'],
];

export function pageActions(page: PageState): readonly Action[] {
  const { session, theme } = page;
  const { choices, chats, router, notices } = session;
  const chat = openChat(session);
  const go = (step: 1 | -1, isUnreadOnly: boolean) => {
    const next = chatBeside(session, step, isUnreadOnly);
    if (next !== null) router.go(channelRoute(next.id));
    else if (isUnreadOnly) notices.add('Everything is read', null);
  };
  const action = (
    id: string,
    name: string,
    run: () => void,
    keys: string | null = null,
    isPressed: Action['isPressed'] = null,
  ): Action => ({ id, name, keys, isPressed, run });
  const isListed = (list: 'muted' | 'favourites') =>
    chat !== null && choices.value[list].includes(chat.id);
  return [
    action(
      'palette',
      'Go to a channel, a person or a page',
      () => (page.isSwitcherOpen.value = !page.isSwitcherOpen.peek()),
      'Ctrl K',
      (event) => (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k',
    ),
    action(
      'search-all',
      'Search all messages',
      () => openSearch(page),
      'Ctrl Shift F',
      (event) =>
        (event.ctrlKey || event.metaKey) && event.shiftKey && event.key.toLowerCase() === 'f',
    ),
    action(
      'needs',
      'What needs you',
      () => router.go({ view: 'needs' }),
      'Alt Shift N',
      // With Alt, some keyboard layouts type another letter.
      ({ altKey, shiftKey, code }) => altKey && shiftKey && code === 'KeyN',
    ),
    action(
      'next-unread',
      'Next unread channel',
      () => go(1, true),
      'Alt Shift ↓',
      withAlt('ArrowDown', true),
    ),
    action(
      'previous-unread',
      'Previous unread channel',
      () => go(-1, true),
      'Alt Shift ↑',
      withAlt('ArrowUp', true),
    ),
    action('next', 'Next channel', () => go(1, false), 'Alt ↓', withAlt('ArrowDown', false)),
    action('previous', 'Previous channel', () => go(-1, false), 'Alt ↑', withAlt('ArrowUp', false)),
    ...(chat === null
      ? []
      : [
          action(
            'mark-read',
            'Mark this channel as read',
            () => chats.markAllSeen(chat),
            'Shift Esc',
            (event) => event.shiftKey && event.key === 'Escape',
          ),
          action('mute', isListed('muted') ? 'Unmute this channel' : 'Mute this channel', () =>
            toggleChannel(choices, 'muted', chat.id),
          ),
          action(
            'favourite',
            isListed('favourites') ? 'Remove from favourites' : 'Add to favourites',
            () => toggleChannel(choices, 'favourites', chat.id),
          ),
          action('search', 'Search in this channel', () => openSearch(page, chat.id)),
          action('members', 'Show the members', () => (page.pane.value = 'members')),
        ]),
    action(
      'unread-only',
      choices.value.isUnreadOnly ? 'Show all channels' : 'Show unread channels only',
      () => (choices.value = { ...choices.peek(), isUnreadOnly: !choices.peek().isUnreadOnly }),
    ),
    action('create', 'Create a channel', () => (page.isCreateOpen.value = true)),
    action('alerts', 'Notifications and sound', () => (page.isAlertsOpen.value = true)),
    action('status', 'Set your status', () => (page.isStatusOpen.value = true)),
    action('colours', 'Change the colours', theme.next),
    action(
      'density',
      theme.isCompact.value ? 'Show more space' : 'Show more on the screen',
      theme.switchDensity,
    ),
    action(
      'keys',
      'Show all keys',
      () => (page.isKeysOpen.value = true),
      '?',
      (event) =>
        (event.key === '?' && !isTyping(event)) ||
        ((event.ctrlKey || event.metaKey) && event.key === '/'),
    ),
    action('sign-out', 'Sign out', page.signOut),
  ];
}

function isTyping({ target }: KeyboardEvent): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
}
