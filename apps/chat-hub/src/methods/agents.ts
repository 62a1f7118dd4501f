import type { AgentOrder } from '@openclaw/chat-store';
import { refuse } from '@openclaw/protocol';
import { answer, type Answer, type Caller, type Handlers } from '../calls/handler.ts';
import { refuseNonAdmin } from '../edge/identity.ts';
import type { MethodDeps } from './method-deps.ts';
import { reads } from './store-methods.ts';

/** A kick stays in the database for this time, so that a hub that loses the database for less still follows it. */
const kickForMs = 60_000;

export function agentMethods(deps: MethodDeps) {
  const { store, audit, agentOrders, writer } = deps;
  async function give(
    { identity, transport, trace }: Caller,
    action: 'agent.kick' | 'agent.limit',
    order: Omit<AgentOrder, 'value'> & { readonly value: string | null },
    forMs: number | null,
    details: Readonly<Record<string, unknown>>,
  ): Promise<Answer<typeof action>> {
    const { agentId } = order;
    // Without this check a frozen agent with an admin token could keep persons away from the hub.
    const refusal = refuseNonAdmin(identity, 'act on agents') ?? writer.refuseFrozen(identity);
    if (refusal) return refusal;
    if (!(await store.isKnownAgent(agentId)))
      return refuse('not_found', `there is no agent ${agentId}`);
    const request = { identity, transport, requestId: trace?.requestId ?? null };
    const record = audit.recordOf(request, { action, target: agentId, details });
    await store.giveAgentOrder(order, forMs, record);
    audit.logged(record);
    await agentOrders.now();
    return answer({});
  }

  return {
    'agent.list': reads(deps, 'agent.list'),
    'agent.kick': (caller, { agentId, reason }) =>
      give(caller, 'agent.kick', { agentId, kind: 'kick', value: reason }, kickForMs, { reason }),
    'agent.limit': (caller, { agentId, message, forMs }) =>
      give(caller, 'agent.limit', { agentId, kind: 'limit', value: message }, forMs, {
        message,
        forMs,
      }),
  } satisfies Partial<Handlers>;
}
