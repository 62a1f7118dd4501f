import { refuseFrozen } from '@openclaw/protocol/wire';
import { sql } from 'kysely';
import { refuse, type Actor, type CommandOf, type Refusal } from '../../commands.ts';
import { insertAudit } from '../audit.ts';
import { freezesRow } from '../freezes.ts';
import type { GroupState } from '../group-state.ts';
import { newId } from '../new-id.ts';
import type { ChannelsTable, ChannelWithHead, FreezesTable } from '../tables.ts';
import { accepted, loadAuthorized, type Decide } from './decision.ts';
import { interruptStreams, ofAgents } from './interruptions.ts';

// A channel's freeze is in its row, which every command locks, so the check costs no statement. Freezes of agents and
// the hub come with the actor, from the hub's memory.

/** Every hub keeps the ids of the frozen agents in memory. */
export const frozenAgentsMax = 10_000;

export function refusalOfFrozen(
  actor: Actor,
  channel: Pick<ChannelsTable, 'frozen_at'> | null,
): Refusal | null {
  if (actor.kind !== 'agent') return null;
  if (actor.frozen) return refuseFrozen(actor.frozen);
  return channel !== null && channel.frozen_at !== null ? refuseFrozen('channel') : null;
}

/** The same reason again changes nothing; another reason replaces the first. */
export const setFreeze: Decide<'freeze'> = async (group, command) => {
  const loaded = await loadCovered(group, command);
  if (!loaded.ok) return loaded;
  const { actor, params } = command;
  const { scope, reason } = params;
  const id = params.id ?? '';
  const known = await findFreeze(group, scope, id);
  if (known?.reason === reason) return accepted({});
  if (scope === 'agent' && !known && (await hasManyFrozen(group))) {
    return refuse('conflict', `${frozenAgentsMax} agents are frozen already: freeze the hub`);
  }
  const row = { reason, set_by: actor.agentId, set_at: group.nowMs };
  await group.db
    .insertInto('freezes')
    .values({ scope, id, ...row })
    .onConflict((conflict) => conflict.columns(['scope', 'id']).doUpdateSet(row))
    .execute();
  return changed(group, command, loaded.channel, 'freeze.set', group.nowMs);
};

/** Lifting a freeze that does not exist changes nothing. */
export const liftFreeze: Decide<'unfreeze'> = async (group, command) => {
  const { actor, params } = command;
  if (actor.kind === 'agent') return refuse('forbidden', 'no agent lifts a freeze');
  const loaded = await loadCovered(group, command);
  if (!loaded.ok) return loaded;
  const id = params.id ?? '';
  const known = await findFreeze(group, params.scope, id);
  if (!known) return accepted({});
  await group.db
    .deleteFrom('freezes')
    .where((eb) => eb.and({ scope: params.scope, id }))
    .execute();
  return changed(group, command, loaded.channel, 'freeze.lifted', null);
};

type Change = CommandOf<'freeze'> | CommandOf<'unfreeze'>;

/**
 * Checks that the caller has the rights, and that no freeze covers the caller. The result's `channel` is null unless
 * the scope is a channel.
 */
async function loadCovered(
  group: GroupState,
  { actor, params }: Change,
): Promise<{ readonly ok: true; readonly channel: ChannelWithHead | null } | Refusal> {
  const { scope, id } = params;
  if (scope !== 'channel') {
    if (!actor.isAdmin || actor.channels) {
      return refuse('forbidden', `only an admin may freeze the ${scope}, with an unlimited token`);
    }
    return refusalOfFrozen(actor, null) ?? { ok: true, channel: null };
  }
  const needs = { from: 'member', inArchived: false } as const;
  const loaded = await loadAuthorized(group, actor, id ?? '', needs);
  if (!loaded.ok) return loaded;
  const { channel, role } = loaded;
  if (!actor.isAdmin && (role !== 'owner' || actor.kind !== 'person')) {
    return refuse('forbidden', 'only an admin, or an owner of kind person, may freeze a channel');
  }
  return refusalOfFrozen(actor, channel) ?? { ok: true, channel };
}

async function changed(
  group: GroupState,
  { actor, params }: Change,
  channel: ChannelWithHead | null,
  name: 'freeze.set' | 'freeze.lifted',
  frozenAt: number | null,
) {
  const { scope, id, reason } = params;
  const payload = { scope, id, reason };
  if (actor.audit) {
    const now = () => sql<number>`cast(${group.nowMs} as bigint)`;
    await insertAudit({ sql: { now } }, group.db, [actor.audit]);
  }
  if (channel === null) {
    // A changed value makes the hubs read the freezes again. The value is random, because a counter could repeat after
    // a restore.
    const value = newId(group.nowMs);
    await group.db
      .insertInto('meta')
      .values({ name: freezesRow, value })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
      .execute();
    return { ...accepted({}), globalEvent: { name, payload } };
  }
  await group.db
    .updateTable('channels')
    .set({ frozen_at: frozenAt })
    .where('id', '=', channel.id)
    .execute();
  channel.frozen_at = frozenAt;
  // The streams end first, because no agent's event may come after the freeze.
  const ended = frozenAt === null ? [] : await interruptStreams(group, channel, ofAgents);
  const event = { type: 'collaboration.event', name, payload } as const;
  return accepted({}, ...ended, group.append(channel, actor, event));
}

function findFreeze(
  group: GroupState,
  scope: FreezesTable['scope'],
  id: string,
): Promise<FreezesTable | undefined> {
  return group.db
    .selectFrom('freezes')
    .selectAll()
    .where((eb) => eb.and({ scope, id }))
    .executeTakeFirst();
}

async function hasManyFrozen(group: GroupState): Promise<boolean> {
  const last = await group.db
    .selectFrom('freezes')
    .select('id')
    .where('scope', '=', 'agent')
    .limit(1)
    .offset(frozenAgentsMax - 1)
    .executeTakeFirst();
  return last !== undefined;
}
