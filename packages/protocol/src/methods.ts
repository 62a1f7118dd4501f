import { z } from 'zod';
import { timestampSchema } from './fields.ts';
import { agentMethods } from './methods/agent.ts';
import { askMethods } from './methods/ask.ts';
import { channelMethods } from './methods/channel.ts';
import { budgetMethods } from './methods/budget.ts';
import { claimMethods } from './methods/claim.ts';
import { collaborationMethods } from './methods/collaboration.ts';
import { type MethodDefinition, type MethodKind, paramsSchema } from './methods/definition.ts';
import { freezeMethods } from './methods/freeze.ts';
import { inboxMethods } from './methods/inbox.ts';
import { ledgerMethods } from './methods/ledger.ts';
import { memberMethods } from './methods/member.ts';
import { messageMethods } from './methods/message.ts';
import { questionMethods } from './methods/question.ts';
import { presenceMethods } from './methods/presence.ts';
import { readMethods } from './methods/read-state.ts';
import { searchMethods } from './methods/search.ts';
import { streamMethods } from './methods/stream.ts';
import { subscriptionMethods } from './methods/subscription.ts';
import { threadMethods } from './methods/thread.ts';
import { turnStateMethods } from './methods/turn-state.ts';
import { sampleTimestamp } from './samples.ts';

export const methods = {
  ...channelMethods,
  ...memberMethods,
  ...subscriptionMethods,
  ...messageMethods,
  ...streamMethods,
  ...searchMethods,
  ...threadMethods,
  ...askMethods,
  ...questionMethods,
  ...claimMethods,
  ...budgetMethods,
  ...freezeMethods,
  ...ledgerMethods,
  ...presenceMethods,
  ...turnStateMethods,
  ...collaborationMethods,
  ...readMethods,
  ...inboxMethods,
  ...agentMethods,
  ping: {
    kind: 'live',
    limit: 'read',
    orderedBy: null,
    tag: 'time',
    summary: 'Answers the hub’s time.',
    params: paramsSchema({}),
    result: z.object({ timestamp: timestampSchema }),
    errors: [],
    examples: [{ params: {}, result: { timestamp: sampleTimestamp } }],
  },
} as const satisfies Record<string, MethodDefinition>;

export type MethodName = keyof typeof methods;

export type MethodOfKind<K extends MethodKind> = {
  [M in MethodName]: (typeof methods)[M]['kind'] extends K ? M : never;
}[MethodName];

/** Params as the hub gets them: checked, with defaults, null where absent. */
export type ParamsOf<M extends MethodName> = z.output<(typeof methods)[M]['params']>;

/** Params as a client writes them. */
export type ParamsInputOf<M extends MethodName> = z.input<(typeof methods)[M]['params']>;

export type ResultOf<M extends MethodName> = z.output<(typeof methods)[M]['result']>;

/** False for names such as `toString`, which every object has. */
export function isMethodName(name: string): name is MethodName {
  return Object.hasOwn(methods, name);
}
