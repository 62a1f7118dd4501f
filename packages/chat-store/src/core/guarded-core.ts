import { ChatStoreError } from '../errors.ts';
import type { StoreCore } from './store-core.ts';

/**
 * A core that makes no more calls once one has failed with `newer_schema`, because statements that still work could
 * write rows which the newer release cannot read. Only beats are still made. They look at the schema first, and the
 * first one that succeeds ends the refusals.
 */
export function refuseNewerSchema(core: StoreCore): {
  readonly core: StoreCore;
  /** The reason of the refusals, as one sentence; null while there are none. */
  readonly reason: () => string | null;
} {
  let refusal: ChatStoreError | null = null;

  const watched =
    <A extends readonly unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      try {
        return await call(...args);
      } catch (error) {
        if (error instanceof ChatStoreError && error.code === 'newer_schema') refusal = error;
        throw error;
      }
    };
  const guarded = <A extends readonly unknown[], R>(call: (...args: A) => Promise<R>) => {
    const made = watched(call);
    return async (...args: A): Promise<R> => {
      if (refusal !== null) throw refusal;
      return made(...args);
    };
  };
  const beat = watched(core.beat);

  const calls = Object.entries<unknown>({ ...core }).map(([name, call]) => [
    name,
    name === 'close' ? call : guarded(call as (...args: readonly unknown[]) => Promise<unknown>),
  ]);
  return {
    core: {
      ...(Object.fromEntries(calls) as StoreCore),
      async beat(...args) {
        const before = refusal;
        await beat(...args);
        // If another call was refused meanwhile, this beat may have looked before the migration.
        if (refusal === before) refusal = null;
      },
    },
    reason: () => refusal?.message ?? null,
  };
}
