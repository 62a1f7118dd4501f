/** Somewhere to go. */
export interface Destination {
  readonly kind: 'channel' | 'agent';
  readonly id: string;
  readonly name: string;
  readonly unread: number;
}

/** The best matches first: beginnings before middles, unread before read, then by name. */
export function rankDestinations(
  all: readonly Destination[],
  question: string,
  max: number,
): Destination[] {
  const wanted = question.trim().replace(/^[#@]/, '').toLowerCase();
  const placeOf = ({ name }: Destination) => name.toLowerCase().indexOf(wanted);
  return all
    .filter((destination) => placeOf(destination) >= 0)
    .sort(
      (a, b) =>
        Math.min(placeOf(a), 1) - Math.min(placeOf(b), 1) ||
        Number(b.unread > 0) - Number(a.unread > 0) ||
        a.name.localeCompare(b.name),
    )
    .slice(0, max);
}
