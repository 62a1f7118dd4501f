import { visibleString } from '../../markdown/visible-text.ts';
import { usePage } from '../../page/page-state.ts';
import { Plain } from '../shared/isolated-text.tsx';

const shownChars = 500;

/** How the connection is, said once it changes. */
export function ConnectionLineView() {
  const { tone, text, detail } = usePage().session.line.value;
  // What is left to wait changes each second: it is to be seen, and not to be read out.
  const wait = /…$| in \d+ s$/.exec(text)?.[0] ?? '';
  return (
    <div class={`connection connection-${tone}`} role="status">
      <span class="connection-dot" aria-hidden="true" />
      <span class="connection-text">
        {text.slice(0, text.length - wait.length)}
        <span aria-hidden="true">{wait}</span>
      </span>
      {detail !== null && <span class="connection-detail">{visibleString(detail)}</span>}
    </div>
  );
}

/** What the reader should know; each can be put away. */
export function NoticesView() {
  const { notices } = usePage().session;
  if (notices.list.value.length === 0) return null;
  return (
    <div class="notices" role="alert">
      {notices.list.value.map(({ id, text, detail }) => (
        <div class="notice" key={id}>
          <p>
            <strong>
              <Plain text={shortened(text)} />
            </strong>
            {detail !== null && (
              <span class="quiet">
                {' '}
                <Plain text={shortened(detail)} />
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
