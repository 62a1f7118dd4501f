import { useState } from 'preact/hooks';
import type { Profile } from '../../session/profile.ts';
import { usePage } from '../page-state.ts';
import { StatusText } from '../shared/agent-link.tsx';
import { Avatar } from '../shared/avatar.tsx';
import { Dialog, DialogActions } from '../shared/dialog.tsx';
import { TextField } from '../shared/fields.tsx';
import { IconButton } from '../shared/icon.tsx';
import { statusWords } from '../shared/presence.ts';

const avatars = ['🙂', '🦊', '🐙', '🦉', '🐝', '🚀', '🤖', '🌱'];

/** The agent's own status, as others see it, with the theme and the sign-out. */
export function OwnCard() {
  const { session, theme, signOut } = usePage();
  const [isOpen, setOpen] = useState(false);
  const { status, customStatus, avatar } = session.profile.current.value;
  const themeLabel = `Colours: ${theme.name.value}`;
  return (
    <div class="own-card">
      <button class="own-button" onClick={() => setOpen(true)} title="Set your status">
        <span class="hidden">Set your status: </span>
        <Avatar agentId={session.me} avatar={avatar} status={status} />
        <span class="own-names">
          <strong>{session.me}</strong>
          <span class="quiet small">
            <StatusText status={status} customStatus={customStatus} />
          </span>
        </span>
      </button>
      <IconButton icon="theme" label={themeLabel} title={themeLabel} onClick={theme.next} />
      <IconButton icon="out" label="Sign out" title="Sign out" onClick={signOut} />
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
    session.profile
      .set({ ...profile, customStatus })
      .catch(session.notices.report('Your status was not set'));
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
        <TextField
          label="What you are doing"
          name="customStatus"
          value={profile.customStatus ?? ''}
          maxLength={128}
          placeholder="Reviewing the release"
          onText={(customStatus) => setProfile({ ...profile, customStatus })}
        />
        <fieldset class="choices">
          <legend>Picture</legend>
          {[null, ...avatars].map((avatar) => (
            <button
              type="button"
              key={avatar}
              class="emoji-button"
              aria-pressed={profile.avatar === avatar}
              aria-label={avatar ?? 'Initials'}
              onClick={() => setProfile({ ...profile, avatar })}
            >
              {avatar ?? 'Aa'}
            </button>
          ))}
        </fieldset>
        <DialogActions action="Save" onCancel={onClose} />
      </form>
    </Dialog>
  );
}
