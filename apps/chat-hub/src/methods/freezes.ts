import type { ParamsOf } from '@openclaw/protocol';
import type { Caller, Handlers } from '../calls/handler.ts';
import type { MethodDeps } from './method-deps.ts';
import { reads } from './store-methods.ts';

export function freezeMethods(deps: MethodDeps) {
  const { writer, freezes, audit, log } = deps;
  const change =
    <M extends 'freeze' | 'unfreeze'>(method: M) =>
    async (caller: Caller, params: ParamsOf<M>) => {
      const { identity, transport, trace } = caller;
      const { scope, id, reason } = params;
      const record = audit.recordOf(
        { identity, transport, requestId: trace?.requestId ?? null },
        // A reason is the only text of a caller in audit records, because it is written for the audit.
        { action: method, target: id, details: { scope, reason } },
      );
      const answer = await writer.write(caller, method, params, { ...identity, audit: record });
      if (!answer.ok) return answer;
      audit.logged(record);
      // The freeze must hold on this hub before the caller gets its answer. If this read fails, the next tail check
      // repeats it.
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
