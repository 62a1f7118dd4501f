import { visibleString } from '../../markdown/visible-text.ts';
import { usePage } from '../page-state.ts';
import { IsolatedText } from '../shared/isolated-text.tsx';

const shownChars = 500;

export function ConnectionStatusView() {
  const { tone, text, detail } = usePage().session.connectionStatus.value;
  // The countdown changes each second, so screen readers must not announce it.
  const countdown = /…$| in \d+ s$/.exec(text)?.[0] ?? '';
  return (
    <div class={`connection connection-${tone}`} role="status">
      <span class="connection-dot" aria-hidden="true" />
      <span class="connection-text">
        {text.slice(0, text.length - countdown.length)}
        <span aria-hidden="true">{countdown}</span>
      </span>
      {detail !== null && <span class="connection-detail">{visibleString(detail)}</span>}
    </div>
  );
}

export function NoticesView() {
  const { notices } = usePage().session;
  if (notices.list.value.length === 0) return null;
  return (
    <div class="notices" role="alert">
      {notices.list.value.map(({ id, text, detail }) => (
        <div class="notice" key={id}>
          <p>
            <strong>
              <IsolatedText text={shortened(text)} />
            </strong>
            {detail !== null && (
              <span class="quiet">
                {' '}
                <IsolatedText text={shortened(detail)} />
              </span>
            )}
          </p>
          <button class="link" onClick={() => notices.dismiss(id)}>
            Dismiss
          </button>
        </div>
      ))}
    </div>
  );
}

function shortened(text: string): string {
  return text.length > shownChars ? `${text.slice(0, shownChars)}…` : text;
}
