import type { Members } from './reducers.ts';

/** Names that a reader could confuse have the same look. Maps each look to the ids of the agents whose name has it. */
type LookAlikes = ReadonlyMap<string, ReadonlySet<string>>;

const known = new WeakMap<Members, LookAlikes>();

/**
 * `isInDoubt` is true if the display name could also mean another member. Then the id must be shown too, because an
 * agent may choose another agent's name.
 */
export function shownName(
  members: Members,
  agentId: string,
): { readonly name: string; readonly isInDoubt: boolean } {
  const displayName = members.get(agentId)?.displayName ?? null;
  if (displayName === null || displayName === agentId) return { name: agentId, isInDoubt: false };
  // Letters of other scripts may look like Latin ones, so only a name in ASCII can be compared.
  const isComparable = /^[\x20-\x7e]+$/.test(displayName);
  const others = lookAlikesOf(members).get(lookOf(displayName));
  const isShared = others !== undefined && [...others].some((id) => id !== agentId);
  return { name: displayName, isInDoubt: !isComparable || isShared };
}

export function nameInText(members: Members, agentId: string): string {
  const { name, isInDoubt } = shownName(members, agentId);
  return isInDoubt ? agentId : name;
}

/** Computed once for each state of the members, because every row needs it. */
function lookAlikesOf(members: Members): LookAlikes {
  const cached = known.get(members);
  if (cached !== undefined) return cached;
  const found = new Map<string, Set<string>>();
  for (const { agentId, displayName } of members.values()) {
    for (const name of [agentId, displayName ?? agentId]) {
      const look = lookOf(name);
      found.set(look, (found.get(look) ?? new Set<string>()).add(agentId));
    }
  }
  known.set(members, found);
  return found;
}

/**
 * Returns equal texts for names that a reader could confuse. Ignores case, separators, and
 * differences between letters and similar digits.
 */
function lookOf(name: string): string {
  return name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s._@|~-]+/g, '')
    .replace(/0/g, 'o')
    .replace(/[1i]/g, 'l')
    .replace(/5/g, 's');
}
