import { useState } from 'preact/hooks';
import type { Profile } from '../../session/profile.ts';
import { Avatar } from '../shared/avatar.tsx';
import { Dialog } from '../shared/dialog.tsx';
import { Icon } from '../shared/icon.tsx';
import { usePage } from '../../page/page-state.ts';
import { statusWords } from '../shared/presence.ts';
import { Plain } from '../shared/isolated-text.tsx';

const avatars = ['🙂', '🦊', '🐙', '🦉', '🐝', '🚀', '🤖', '🌱'];

/** Oneself at the foot of the sidebar, with what others see. */
export function OwnCard() {
  const { session, theme, signOut } = usePage();
  const [isOpen, setOpen] = useState(false);
  const { status, customStatus, avatar } = session.profile.current.value;
  return (
    <div class="own-card">
      <button class="own-button" onClick={() => setOpen(true)} title="Set your status">
        <span class="hidden">Set your status: </span>
        <Avatar agentId={session.me} avatar={avatar} status={status} />
        <span class="own-names">
          <strong>{session.me}</strong>
          <span class="quiet small">
            {customStatus === null ? statusWords[status] : <Plain text={customStatus} />}
          </span>
        </span>
      </button>
      <button
        class="icon-button"
        aria-label={`Colours: ${theme.name.value}`}
        title={`Colours: ${theme.name.value}`}
        onClick={() => theme.next()}
      >
        <Icon name="theme" />
      </button>
      <button class="icon-button" aria-label="Sign out" title="Sign out" onClick={signOut}>
        <Icon name="out" />
      </button>
      {isOpen && <StatusDialog onClose={() => setOpen(false)} />}
    </div>
  );
}

function StatusDialog({ onClose }: { onClose: () => void }) {
  const { session } = usePage();
  const [profile, setProfile] = useState<Profile>(session.profile.current.peek());
  const submit = (event: Event) => {
    event.preventDefault();
    const customStatus = profile.customStatus?.trim() || null;
    session.profile.set({ ...profile, customStatus }).catch((error: unknown) => {
      session.notices.report('Your status was not set', error);
    });
    onClose();
  };
  return (
    <Dialog label="Your status" onClose={onClose}>
      <form onSubmit={submit}>
        <h2>Your status</h2>
        <fieldset class="choices">
          <legend class="hidden">Status</legend>
          {(['online', 'away', 'dnd'] as const).map((status) => (
            <label key={status} class="choice">
              <input
                type="radio"
                name="status"
                checked={profile.status === status}
                onChange={() => setProfile({ ...profile, status })}
              />
              <span class={`dot dot-${status}`} aria-hidden="true" />
              {statusWords[status]}
            </label>
          ))}
        </fieldset>
        <label class="field">
          <span>What you are doing</span>
          <input
            name="customStatus"
            value={profile.customStatus ?? ''}
            maxLength={128}
            placeholder="Reviewing the release"
            onInput={(event) => setProfile({ ...profile, customStatus: event.currentTarget.value })}
          />
        </label>
        <fieldset class="choices">
          <legend>Picture</legend>
          <button
            type="button"
            class="emoji-button"
            aria-pressed={profile.avatar === null}
            aria-label="Initials"
            onClick={() => setProfile({ ...profile, avatar: null })}
          >
            Aa
          </button>
          {avatars.map((avatar) => (
            <button
              type="button"
              key={avatar}
              class="emoji-button"
              aria-pressed={profile.avatar === avatar}
              onClick={() => setProfile({ ...profile, avatar })}
            >
              {avatar}
            </button>
          ))}
        </fieldset>
        <div class="dialog-actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="primary">
            Save
          </button>
        </div>
      </form>
    </Dialog>
  );
}
