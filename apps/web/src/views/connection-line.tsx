import { usePage } from './page-state.ts';

/** How the connection is, said once it changes. */
export function ConnectionLineView() {
  const { tone, text, detail } = usePage().session.line.value;
  return (
    <div class={`connection connection-${tone}`} role="status">
      <span class="connection-dot" aria-hidden="true" />
      <span class="connection-text">{text}</span>
      {detail !== null && <span class="connection-detail">{detail}</span>}
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
            <strong>{text}</strong>
            {detail !== null && <span class="quiet"> {detail}</span>}
          </p>
          <button class="link" onClick={() => notices.dismiss(id)}>
            Dismiss
          </button>
        </div>
      ))}
    </div>
  );
}
