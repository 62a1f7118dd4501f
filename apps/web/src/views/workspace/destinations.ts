export interface Destination {
  readonly kind: 'channel' | 'agent';
  readonly id: string;
  readonly name: string;
  readonly unread: number;
}

/**
 * The destinations whose names contain `query`. Those whose names begin with `query` come first. Within both groups,
 * destinations with unread messages come first, and the order is otherwise by name.
 */
export function rankDestinations(
  all: readonly Destination[],
  query: string,
  max: number,
): Destination[] {
  const text = query.trim().replace(/^[#@]/, '').toLowerCase();
  const indexIn = ({ name }: Destination) => name.toLowerCase().indexOf(text);
  return all
    .filter((destination) => indexIn(destination) >= 0)
    .sort(
      (a, b) =>
        Math.min(indexIn(a), 1) - Math.min(indexIn(b), 1) ||
        Number(b.unread > 0) - Number(a.unread > 0) ||
        a.name.localeCompare(b.name),
    )
    .slice(0, max);
}
