import { Problem } from '../shared/controls.tsx';
import { timeWithSecondsText } from '../shared/format-time.ts';

export function AsOf(props: {
  problem: string | null;
  isStale: boolean;
  receivedAtMs: number | null;
  /** A plural noun: the sentence begins with it. */
  what: string;
}) {
  const { problem, isStale, receivedAtMs, what } = props;
  return (
    <>
      <Problem text={problem} extraClass="banner" />
      {isStale && receivedAtMs !== null && (
        <p class="as-of banner" role="status">
          No answer from the hub. {what} are as of {timeWithSecondsText(receivedAtMs)}.
        </p>
      )}
    </>
  );
}
