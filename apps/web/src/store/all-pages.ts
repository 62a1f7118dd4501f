const pagesMax = 10;

/** Reads page after page, at most ten; `isComplete` is false when there were more. */
export async function allPages<P extends { readonly nextCursor: string | null }, T>(
  read: (cursor: string | null) => Promise<P>,
  itemsOf: (page: P) => readonly T[],
): Promise<{ readonly items: readonly T[]; readonly isComplete: boolean }> {
  const items: T[] = [];
  let cursor: string | null = null;
  for (let count = 0; count < pagesMax; count += 1) {
    const page: P = await read(cursor);
    items.push(...itemsOf(page));
    cursor = page.nextCursor;
    if (cursor === null) return { items, isComplete: true };
  }
  return { items, isComplete: false };
}
