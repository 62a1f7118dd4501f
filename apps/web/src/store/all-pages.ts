const pagesMax = 10;

/**
 * Reads up to ten pages, and collects the items in `field`. `isComplete` is false when there were
 * more pages.
 */
export async function allPages<
  K extends string,
  P extends { readonly nextCursor: string | null } & Readonly<Record<K, readonly unknown[]>>,
>(read: (page: { cursor: string | null }) => Promise<P>, field: K) {
  const items: P[K][number][] = [];
  let cursor: string | null = null;
  for (let count = 0; count < pagesMax; count += 1) {
    const page: P = await read({ cursor });
    items.push(...page[field]);
    cursor = page.nextCursor;
    if (cursor === null) return { items, isComplete: true };
  }
  return { items, isComplete: false };
}
