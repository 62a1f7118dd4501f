export interface Destination {
  readonly kind: 'channel' | 'agent' | 'page' | 'action';
  readonly id: string;
  readonly name: string;
  readonly unread: number;
  /** The keyboard shortcut with the same effect, as text for people. */
  readonly keys?: string | null;
}

/**
 * Keeps the destinations whose names contain every word of `query`. Names that begin with `query` come first, then
 * names with unread messages. Otherwise the order follows the kind, then the name.
 */
export function rankDestinations(
  all: readonly Destination[],
  query: string,
  max: number,
): Destination[] {
  const text = query
    .trim()
    .replace(/^[#@>]/, '')
    .toLowerCase();
  const words = text.split(/\s+/);
  const isLater = ({ name }: Destination) => Number(!name.toLowerCase().startsWith(text));
  return all
    .filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)))
    .sort(
      (a, b) =>
        isLater(a) - isLater(b) ||
        Number(b.unread > 0) - Number(a.unread > 0) ||
        kinds.indexOf(a.kind) - kinds.indexOf(b.kind) ||
        a.name.localeCompare(b.name),
    )
    .slice(0, max);
}

const kinds: readonly Destination['kind'][] = ['channel', 'agent', 'page', 'action'];
