import { refuse, type Refusal } from '../commands.ts';

/** The refusal of a threadId that is a reply, or no message at all. For a reply, the text names the reply's thread. */
export function refuseNoRoot(
  row: { readonly thread_id: string | null } | undefined,
  threadId: string,
): Refusal {
  return refuse(
    'not_found',
    row
      ? `message ${threadId} is a reply in thread ${row.thread_id}: name that thread`
      : `there is no message ${threadId}`,
  );
}
