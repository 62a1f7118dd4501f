import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { titleOf } from '../../store/channel-names.ts';
import type { Need } from '../../store/concerns.ts';
import { usePage } from '../page-state.ts';
import { Avatar, IsolatedText, usePresence } from '../shared/agents.tsx';
import { EmptyState, Icon, IconButton } from '../shared/controls.tsx';
import { sinceText } from '../shared/format-time.ts';
import { kindWords, needText, openNeed } from './open-need.ts';

const hourMs = 3_600_000;
/** This many needs are drawn at first, and this many more after each press of the button. */
const drawnAtOnce = 100;

export function NeedsView() {
  const { session, alerts, isAlertsOpen, openedNeed } = usePage();
  const { needs } = session;
  const list = useRef<HTMLUListElement>(null);
  const [undone, setUndone] = useState<Need | null>(null);
  const [showsSnoozed, setShowsSnoozed] = useState(false);
  const [shownCount, setShownCount] = useState(drawnAtOnce);
  const open = needs.open.value;
  const snoozed = needs.snoozed.value;
  const between = needs.betweenCount.value;
  const { isDesktopOn } = alerts.choices.value;

  useLayoutEffect(() => {
    const opened = open.find(({ id }) => id === openedNeed.peek()) ?? open[0];
    const at = opened === undefined ? -1 : open.indexOf(opened);
    list.current?.querySelectorAll<HTMLElement>('.need')[at]?.focus();
  }, [needs.isLoaded.value]);

  /** The next need gets the focus before this need leaves the list. */
  const leave = (element: Element) => {
    const row = element.closest('li');
    const next = row?.nextElementSibling ?? row?.previousElementSibling;
    next?.querySelector<HTMLElement>('.need')?.focus();
  };
  const done = (need: Need, element: Element) => {
    leave(element);
    setUndone(need);
    needs.done(need);
  };
  const snooze = (need: Need, element: Element, untilMs: number) => {
    leave(element);
    needs.snooze(need, untilMs);
  };
  const onKeyDown = (need: Need) => (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const element = event.currentTarget as HTMLElement;
    const row = element.closest('li');
    const beside = { ArrowDown: row?.nextElementSibling, ArrowUp: row?.previousElementSibling };
    if (event.key in beside) {
      event.preventDefault();
      const next = beside[event.key as keyof typeof beside];
      next?.querySelector<HTMLElement>('.need')?.focus();
    } else if (event.key === 'e') done(need, element);
    else if (event.key === 's') snooze(need, element, Date.now() + hourMs);
    else if (event.key === 'z' && undone !== null) undo();
  };
  const undo = () => {
    if (undone !== null) needs.undo(undone);
    setUndone(null);
  };
  return (
    <main class="page column scrolls" tabIndex={-1}>
      <header class="page-head line">
        <h1>Needs you</h1>
        <div class="line needs-tools">
          <button onClick={() => (isAlertsOpen.value = true)}>
            <Icon name="bell" />
            {isDesktopOn ? 'Notifications' : 'Turn on notifications'}
          </button>
          {open.length > 0 && <button onClick={() => needs.allDone()}>All done</button>}
        </div>
      </header>
      {undone !== null && (
        <p class="line needs-undo" role="status">
          <span class="fill">Done.</span>
          <button class="link" onClick={undo}>
            Undo
          </button>
        </p>
      )}
      <ul class="needs" ref={list}>
        {open.slice(0, shownCount).map((need) => (
          <li class="line" key={need.id}>
            <NeedButton need={need} onKeyDown={onKeyDown(need)} />
            <IconButton
              icon="check"
              label="Done"
              title="Done (E)"
              onClick={(event) => done(need, event.currentTarget)}
            />
            <IconButton
              icon="clock"
              label="Snooze for an hour"
              title="Snooze for an hour (S)"
              onClick={(event) => snooze(need, event.currentTarget, Date.now() + hourMs)}
            />
            <IconButton
              icon="moon"
              extraClass="snooze-longer"
              label="Snooze until tomorrow"
              title="Snooze until tomorrow"
              onClick={(event) => snooze(need, event.currentTarget, tomorrowMs())}
            />
          </li>
        ))}
      </ul>
      {open.length > shownCount && (
        <button onClick={() => setShownCount(shownCount + drawnAtOnce)}>
          {`Show more of ${open.length.toLocaleString()}`}
        </button>
      )}
      {open.length === 0 && needs.isLoaded.value && (
        <EmptyState icon="check" title="Nothing needs you.">
          Mentions, direct messages, replies to you and agents that fail come here, from all
          channels. <a href="#/browse">Join more channels</a>, or{' '}
          <a href="#/fleet">look at the fleet</a>.
        </EmptyState>
      )}
      {between > 0 && (
        <p class="quiet">
          {`${between.toLocaleString()} more are not shown. They come here as you finish these.`}
        </p>
      )}
      {snoozed.length > 0 && (
        <section>
          <button
            class="link"
            aria-expanded={showsSnoozed}
            onClick={() => setShowsSnoozed(!showsSnoozed)}
          >
            {`${snoozed.length} snoozed`}
          </button>
          {showsSnoozed && (
            <ul class="needs">
              {snoozed.map((need) => (
                <li class="line" key={need.id}>
                  <NeedButton need={need} />
                  <button onClick={() => needs.snooze(need, 0)}>Bring back</button>
                </li>
              ))}
            </ul>
          )}
        </section>
      )}
    </main>
  );
}

function tomorrowMs(): number {
  const next = new Date();
  next.setDate(next.getDate() + 1);
  return next.setHours(8, 0, 0, 0);
}

function NeedButton(props: { need: Need; onKeyDown?: (event: KeyboardEvent) => void }) {
  const { need, onKeyDown } = props;
  const { session, openedNeed } = usePage();
  const { kind, senderId, channelId, atMs } = need;
  const presence = usePresence(senderId ?? '');
  const channel = session.chats.byId.value.get(channelId)?.channel.value;
  const open = () => {
    openedNeed.value = need.id;
    openNeed(session, need).catch(session.notices.report('The message could not be opened'));
  };
  return (
    <button class={`need need-${kind} fill`} onClick={open} onKeyDown={onKeyDown}>
      {senderId === null ? <Icon name="at" /> : <Avatar {...presence} agentId={senderId} />}
      <span class="found-text">
        <span class="found-head">
          <span class="ellipsis">
            {senderId !== null && <b>{senderId} </b>}
            <span class="need-kind">{kindWords[kind]}</span>
            {channel !== undefined && channel.kind !== 'direct' && (
              <span class="quiet">
                {' in '}
                <IsolatedText text={titleOf(channel, session.me)} />
              </span>
            )}
          </span>
          <span class="quiet small found-time">{sinceText(atMs)}</span>
        </span>
        <span class="found-excerpt">
          <IsolatedText text={needText(need)} />
        </span>
      </span>
    </button>
  );
}
