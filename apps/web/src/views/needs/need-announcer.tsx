import { useRef } from 'preact/hooks';
import { usePage } from '../page-state.ts';
import { needTitle } from './open-need.ts';

/**
 * Announces new needs to screen readers, in any view: “bot mentions you in releases”. Needs from before the page was
 * opened are only in the list.
 */
export function NeedAnnouncer() {
  const { session } = usePage();
  const announced = useRef({ atMs: Date.now(), text: '' });
  const [newest] = session.needs.open.value;
  if (newest !== undefined && newest.atMs > announced.current.atMs) {
    announced.current = { atMs: newest.atMs, text: needTitle(session, newest) };
  }
  return (
    <p class="hidden need-announcer" role="status">
      {/* The new element makes screen readers announce the text, even if the text has not changed. */}
      <span key={announced.current.atMs}>{announced.current.text}</span>
    </p>
  );
}
