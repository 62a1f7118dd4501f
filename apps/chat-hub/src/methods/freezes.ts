import type { Caller, Handlers } from '../calls/handler.ts';
import type { ParamsOf } from '@openclaw/protocol';
import type { MethodDeps } from './method-deps.ts';
import { reads } from './store-methods.ts';

/** Handlers of freeze, unfreeze and freeze.list. */
export function freezeMethods(deps: MethodDeps) {
  const { publisher, freezes, log } = deps;
  const change =
    <M extends 'freeze' | 'unfreeze'>(method: M) =>
    async (caller: Caller, params: ParamsOf<M>) => {
      const answer = await publisher.commit(caller, method, params);
      // So that the answer is true on this hub already. If it fails, the next tail check repeats it.
      if (answer.ok)
        await freezes
          .refresh()
          .catch((error: unknown) => log.debug({ err: error }, 'the freezes were not read'));
      return answer;
    };
  return {
    freeze: change('freeze'),
    unfreeze: change('unfreeze'),
    'freeze.list': reads(deps, 'freeze.list'),
  } satisfies Partial<Handlers>;
}
