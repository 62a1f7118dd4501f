import {
  refuse,
  refuseWith,
  type Actor,
  type AppendedEvent,
  type Refusal,
} from '../../commands.ts';
import { budgetOf, budgetOfRow, findThreadBudget, noBudget, readTurns } from '../budgets.ts';
import type { GroupState } from '../group-state.ts';
import {
  budgetWithin,
  isBudgeted,
  noTurns,
  refilledBy,
  takeTurn,
  type Budget,
  type Turns,
} from '../turns.ts';
import type { ChannelWithHead } from '../tables.ts';
import { accepted, type DecideAuthorized } from './decision.ts';

interface Place {
  readonly channel: ChannelWithHead;
  readonly threadId: string | null;
  readonly turns: Turns;
  /** The budget of the thread itself; empty outside threads. */
  readonly ownBudget: Budget;
}

/** An agent is refused when its turns are used up, or while it is paused for a loop. */
type Counted =
  | {
      readonly ok: true;
      readonly turns: Turns;
      readonly exhausted?: { readonly used: number; readonly pausedUntilMs: number | null };
    }
  | Refusal;

/**
 * `addressed` are the agents that the message mentions, answers or is sent to. Only agents use turns, and only persons
 * reset them.
 */
export function countTurn(
  group: GroupState,
  actor: Actor,
  place: Place,
  addressed: readonly string[],
): Counted {
  const { channel, threadId, turns, ownBudget } = place;
  const { nowMs, turnLimit } = group;
  if (actor.kind === 'person') return { ok: true, turns: refilledBy(nowMs) };
  if (actor.kind !== 'agent') return { ok: true, turns };
  const budget = budgetWithin(ownBudget, budgetOfRow(channel));
  const looping = isBudgeted(budget) ? null : refusalOfLoop(actor, addressed, nowMs, turns);
  if (looping) return looping;
  const isLooped = threadId !== null || channel.kind === 'direct';
  const taken = takeTurn(turns, budget, isLooped ? turnLimit : null, nowMs);
  return taken.ok ? taken : paused(taken.pausedUntilMs);
}

/**
 * Refuses a message with which an agent addresses another agent too often. `turns` are those of the message's channel
 * or thread. If a person has written there since the loop began, the message is not refused.
 */
export function refusalOfLoop(
  actor: Actor,
  addressed: readonly string[],
  nowMs: number,
  turns: Turns = noTurns,
): Refusal | null {
  const loop = actor.loops?.find(
    ({ agentId, sinceMs, untilMs }) =>
      untilMs > nowMs && turns.personAtMs < sinceMs && addressed.includes(agentId),
  );
  return loop ? paused(loop.untilMs) : null;
}

/** Announces that a message has used the last turn. Later messages are refused, so this is announced only once. */
export function announceExhausted(
  group: GroupState,
  channel: ChannelWithHead,
  threadId: string | null,
  exhausted: { readonly used: number; readonly pausedUntilMs: number | null },
): AppendedEvent {
  const payload = { threadId, ...exhausted };
  const sender = { agentId: 'hub', kind: 'hub' } as const;
  return group.append(channel, sender, {
    type: 'collaboration.event',
    name: 'budget.exhausted',
    payload,
  });
}

function paused(pausedUntilMs: number | null): Refusal {
  const message =
    pausedUntilMs === null
      ? 'agents have used up their turns here, until a person writes'
      : 'agents have written too many messages here';
  return refuseWith('paused', message, { pausedUntilMs });
}

/** Absent limits stay. Null removes a limit, so that the default of the channel or hub applies. */
export const setBudget: DecideAuthorized<'budget.set'> = async (group, command) => {
  const { actor, channel, role, params } = command;
  const { channelId, threadId } = params;
  if (role !== 'owner' && actor.kind !== 'person' && !actor.isAdmin) {
    return refuse('forbidden', 'only a person, an owner or an admin may set a budget');
  }
  const found = threadId === null ? null : await findThreadBudget(group.db, channelId, threadId);
  if (found && !found.ok) return found;
  const before = found ? found.budget : budgetOfRow(channel);
  const { agentTurns = before.agentTurns, perMinute = before.perMinute } = params;
  const budget = { agentTurns, perMinute };
  const isSame = agentTurns === before.agentTurns && perMinute === before.perMinute;
  if (!isSame) await write(group, channel, threadId, budget);
  const turns = await readTurns(group.db, channelId, threadId);
  const inForce = threadId === null ? budget : budgetWithin(budget, budgetOfRow(channel));
  const result = budgetOf(inForce, turns, group.nowMs);
  if (isSame) return accepted(result);
  const payload = { threadId, ...budget };
  const event = { type: 'collaboration.event', name: 'budget.set', payload } as const;
  return accepted(result, group.append(channel, actor, event));
};

async function write(
  group: GroupState,
  channel: ChannelWithHead,
  threadId: string | null,
  { agentTurns, perMinute }: Budget,
): Promise<void> {
  const { db } = group;
  if (threadId === null) {
    const columns = { agent_turns: agentTurns, per_minute: perMinute };
    await db.updateTable('channels').set(columns).where('id', '=', channel.id).execute();
    Object.assign(channel, columns);
    return;
  }
  const key = { channel_id: channel.id, thread_id: threadId };
  if (agentTurns === noBudget.agentTurns && perMinute === noBudget.perMinute) {
    await db
      .deleteFrom('thread_budgets')
      .where((eb) => eb.and(key))
      .execute();
    return;
  }
  const row = { agent_turns: agentTurns, per_minute: perMinute };
  await db
    .insertInto('thread_budgets')
    .values({ ...key, ...row })
    .onConflict((conflict) => conflict.columns(['channel_id', 'thread_id']).doUpdateSet(row))
    .execute();
}
