import { usePage } from '../page-state.ts';
import { Dialog, DialogActions } from '../shared/controls.tsx';

const permissionWords = {
  default: 'Off. The browser asks you when you turn them on.',
  granted: 'On, while you are not looking at this page.',
  denied: 'Your browser blocks them. Allow notifications for this address in its settings.',
  unsupported: 'This browser has none here: they need an address with https.',
} as const;

export function AlertsDialog() {
  const { session, alerts, isAlertsOpen } = usePage();
  const { isDesktopOn, isSoundOn } = alerts.choices.value;
  const permission = alerts.permission.value;
  const isOn = isDesktopOn && permission === 'granted';
  const close = () => (isAlertsOpen.value = false);
  return (
    <Dialog label="Notifications" onClose={close}>
      <h2>Notifications</h2>
      <p class="quiet">
        For mentions, direct messages, replies to you, and agents that fail. Everything also stays
        in the list “Needs you”.
      </p>
      <div class="line alert-choice">
        <div class="fill">
          <b>On the desktop</b>
          <p class="quiet small">
            {permission === 'granted' && !isDesktopOn ? 'Off.' : permissionWords[permission]}
          </p>
        </div>
        {isOn ? (
          <button onClick={() => alerts.turnDesktopOff()}>Turn off</button>
        ) : (
          <button
            class="primary"
            disabled={permission === 'unsupported' || permission === 'denied'}
            onClick={() => {
              alerts.turnDesktopOn().catch(session.notices.report('Notifications stay off'));
            }}
          >
            Turn on
          </button>
        )}
      </div>
      <label class="choice line">
        <input
          type="checkbox"
          checked={isSoundOn}
          onChange={(event) => alerts.setSound(event.currentTarget.checked)}
        />
        Play a sound
      </label>
      <DialogActions action="Close" onAction={close} />
    </Dialog>
  );
}
