import { effect, signal, type ReadonlySignal } from '@preact/signals';
import { visibleString } from '../markdown/visible-text.ts';
import type { KeyedStorage } from '../page/page-base.ts';
import { createSharedValue } from '../page/stored-value.ts';
import type { Need } from '../store/concerns.ts';

/** Everything is off until the reader turns it on. */
export interface AlertChoices {
  readonly isDesktopOn: boolean;
  readonly isSoundOn: boolean;
}

export type DesktopPermission = NotificationPermission | 'unsupported';

const off: AlertChoices = { isDesktopOn: false, isSoundOn: false };
const bodyChars = 200;
/** Past this number of needs, the earliest ids are forgotten. */
const seenMax = 4_000;
/** Older needs were loaded, not received live, so they cause no alert. */
const freshMs = 60_000;
/** The tab that alerts keeps the other tabs silent for this time. */
const holdMs = 3_000;
const pendingMax = 100;
const toneMs = 1_000;

/**
 * Alerts the reader to new needs while no tab of the page is in use, with a desktop notification
 * and a sound, as chosen. If several tabs are open, one of them alerts.
 */
export function createAlerts(deps: {
  readonly me: string;
  readonly storage: KeyedStorage;
  readonly needs: ReadonlySignal<readonly Need[]>;
  readonly isLoaded: ReadonlySignal<boolean>;
  readonly titleOf: (need: Need) => string;
  readonly textOf: (need: Need) => string;
  readonly onOpen: (need: Need) => void;
}) {
  const { me, storage, needs, isLoaded, titleOf, textOf, onOpen } = deps;
  const choices = createSharedValue(storage, `openclaw.alerts.${me}`, off);
  const permission = signal<DesktopPermission>(currentPermission());
  const tabs = createTabLocks(me);
  let seen: Set<string> | null = null;
  /** After an alert, further needs wait until this time and share one alert. */
  let quietUntilMs = 0;
  let pending: readonly Need[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;

  function alert(fresh: readonly Need[]) {
    const [newest] = fresh;
    if (newest === undefined) return;
    const { isDesktopOn, isSoundOn } = choices.value.peek();
    if (isSoundOn) playTone();
    if (!isDesktopOn || currentPermission() !== 'granted') return;
    const more = fresh.length > 1 ? ` (and ${fresh.length - 1} more)` : '';
    const body = visibleString(textOf(newest).slice(0, bodyChars));
    const notification = new Notification(`${titleOf(newest)}${more}`, { body, tag: me });
    notification.onclick = () => {
      window.focus();
      notification.close();
      onOpen(newest);
    };
  }

  function flush() {
    timer = undefined;
    const open = new Set(needs.peek().map(({ id }) => id));
    const due = pending.filter(({ id }) => open.has(id));
    const [newest] = due;
    pending = [];
    if (newest === undefined || isInUse()) return;
    quietUntilMs = performance.now() + holdMs;
    void tabs.alone(newest.id, () => alert(due));
  }

  const stop = effect(() => {
    const open = needs.value;
    if (!isLoaded.value) return;
    const known = seen;
    seen = new Set([...(known ?? []), ...open.map(({ id }) => id)].slice(-seenMax));
    // Needs from before the page was opened cause no alert.
    if (known === null) return;
    const since = Date.now() - freshMs;
    const fresh = open.filter(({ id, atMs }) => !known.has(id) && atMs > since);
    if (fresh.length === 0 || isInUse()) return;
    pending = [...fresh, ...pending].slice(0, pendingMax);
    timer ??= setTimeout(flush, Math.max(0, quietUntilMs - performance.now()));
  });

  return {
    choices: choices.value,
    permission: permission as ReadonlySignal<DesktopPermission>,
    /** Call it from a click, because browsers refuse other requests for the permission. */
    async turnDesktopOn() {
      if (permission.peek() === 'unsupported') return;
      permission.value = await Notification.requestPermission();
      const isDesktopOn = permission.peek() === 'granted';
      choices.value.value = { ...choices.value.peek(), isDesktopOn };
    },
    turnDesktopOff() {
      choices.value.value = { ...choices.value.peek(), isDesktopOn: false };
    },
    /** Plays the sound when it is turned on, so that the reader knows how it sounds. */
    setSound(isSoundOn: boolean) {
      choices.value.value = { ...choices.value.peek(), isSoundOn };
      if (isSoundOn) playTone();
    },
    close() {
      stop();
      clearTimeout(timer);
      tabs.close();
      choices.close();
    },
  };
}

function currentPermission(): DesktopPermission {
  // Pages without TLS (except on localhost) and some phones have no `Notification`.
  return typeof Notification === 'undefined' ? 'unsupported' : Notification.permission;
}

const isInUse = () => document.visibilityState === 'visible' && document.hasFocus();

/** The tabs of one agent share locks. Pages without TLS have no locks, so each tab alerts for itself. */
function createTabLocks(me: string) {
  const locks = navigator.locks as LockManager | undefined;
  const inUse = `openclaw.in-use ${me}`;
  let release: (() => void) | null = null;

  // The tab that is in use holds a lock, which keeps the other tabs silent.
  function update() {
    if (!isInUse()) {
      release?.();
      release = null;
    } else if (release === null) {
      const held = new Promise<void>((resolve) => (release = resolve));
      void locks?.request(inUse, { mode: 'shared' }, () => held);
    }
  }
  for (const name of ['focus', 'blur'] as const) window.addEventListener(name, update);
  document.addEventListener('visibilitychange', update);
  update();

  return {
    /** Calls `run` in one tab only. Does not call it while another tab is in use. */
    async alone(id: string, run: () => void) {
      if (locks === undefined) return run();
      const { held = [] } = await locks.query();
      if (held.some(({ name }) => name === inUse)) return;
      await locks.request(`openclaw.alert ${me} ${id}`, { ifAvailable: true }, async (lock) => {
        if (lock === null) return;
        run();
        await new Promise((resolve) => setTimeout(resolve, holdMs));
      });
    },
    close() {
      for (const name of ['focus', 'blur'] as const) window.removeEventListener(name, update);
      document.removeEventListener('visibilitychange', update);
      release?.();
    },
  };
}

function playTone(): void {
  const context = new AudioContext();
  const gain = context.createGain();
  gain.connect(context.destination);
  const startAt = context.currentTime;
  for (const [index, frequency] of [660, 880].entries()) {
    const note = context.createOscillator();
    note.frequency.value = frequency;
    note.connect(gain);
    note.start(startAt + index * 0.12);
    note.stop(startAt + index * 0.12 + 0.1);
  }
  // A browser that refuses to play without a click fires no `ended` event, so a timer closes the
  // context.
  setTimeout(() => void context.close(), toneMs);
  gain.gain.setValueAtTime(0.08, startAt);
  gain.gain.exponentialRampToValueAtTime(0.001, startAt + 0.3);
}
