import { isOutage, type RedisClientError, toClientError } from './errors.ts';
import type { SubscriberTransport } from './subscriber-transport.ts';
import type { SubscriptionSet, Told } from './subscription-set.ts';

// A SUBSCRIBE of this many names stays small beside the timeout of one command.
const namesPerCommand = 500;

/** What became of one flush. */
export interface SyncResult {
  readonly confirmed: number;
  /** Names that Redis refused, with its error. */
  readonly refused: ReadonlyMap<string, RedisClientError>;
  /** Whether some names went unanswered though the connection may still be up. */
  readonly isIncomplete: boolean;
}

function chunksOf<T>(items: readonly T[]): T[][] {
  const chunks: T[][] = [];
  for (let start = 0; start < items.length; start += namesPerCommand) {
    chunks.push(items.slice(start, start + namesPerCommand));
  }
  return chunks;
}

/** Tells the server what changed in `set` since the last time, and `set` what the server made of it. Never rejects. */
export async function syncSubscriptions(
  transport: SubscriberTransport,
  set: SubscriptionSet,
): Promise<SyncResult> {
  const { add, remove } = set.takeChanges();
  const refused = new Map<string, RedisClientError>();
  let confirmed = 0;
  let isIncomplete = false;

  async function subscribe(entries: readonly (readonly [string, Told])[]): Promise<void> {
    try {
      await transport.subscribe(
        set.kind,
        entries.map(([name]) => name),
      );
      for (const [name, told] of entries) set.confirm(name, told);
      confirmed += entries.length;
    } catch (thrown) {
      const error = toClientError(thrown);
      if (!isOutage(error) && entries.length > 1) {
        // One refused name refuses the whole command: find out which.
        await Promise.all(entries.map((entry) => subscribe([entry])));
        return;
      }
      for (const [name, told] of entries) {
        set.forget(name, told);
        if (!isOutage(error)) refused.set(name, error);
      }
      isIncomplete ||= isOutage(error);
    }
  }

  await Promise.all([
    ...chunksOf([...add]).map(subscribe),
    // Unanswered, it leaves messages that nobody handles until the connection ends: nothing to repair.
    ...chunksOf(remove).map((names) =>
      transport.unsubscribe(set.kind, names).then(
        () => undefined,
        () => undefined,
      ),
    ),
  ]);
  return { confirmed, refused, isIncomplete };
}
