const pagesMax = 10;

/** A page of anything, and where the next begins. */
export interface CursorPage<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** Reads page after page, ten at most; `isWhole` says whether that was all. */
export async function allPages<T>(
  read: (cursor: string | null) => Promise<CursorPage<T>>,
): Promise<{ readonly items: readonly T[]; readonly isWhole: boolean }> {
  const items: T[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < pagesMax; page += 1) {
    const found = await read(cursor);
    items.push(...found.items);
    cursor = found.nextCursor;
    if (cursor === null) return { items, isWhole: true };
  }
  return { items, isWhole: false };
}
