import type { ParamIssue, ParamsOf } from '@openclaw/protocol';
import { malformed } from '../calls/failure.ts';
import type { Answer, Caller, Handlers } from '../calls/handler.ts';
import type { MethodDeps } from './method-deps.ts';
import { reads, writes } from './store-methods.ts';

export function questionMethods(deps: MethodDeps) {
  /**
   * Some params are wrong only in the channel's present state, so the store refuses them. Clients get this refusal as
   * `invalid_params`.
   */
  const decides =
    <M extends 'question.open' | 'question.answer'>(method: M) =>
    async (caller: Caller, params: ParamsOf<M>): Promise<Answer<M>> => {
      const answer = await deps.writer.write(caller, method, params);
      const issues = 'details' in answer ? answer.details?.['issues'] : undefined;
      return issues === undefined
        ? answer
        : malformed(
            'invalid_params',
            `invalid params for ${method}`,
            issues as readonly ParamIssue[],
          );
    };
  return {
    'question.open': decides('question.open'),
    'question.answer': decides('question.answer'),
    'question.cancel': writes(deps, 'question.cancel'),
    'question.list': reads(deps, 'question.list'),
  } satisfies Partial<Handlers>;
}
