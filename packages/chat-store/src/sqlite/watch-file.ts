import { statSync } from 'node:fs';

const everyMs = 200;

/**
 * Watches which file stands at a path, from the first question on; looks five times a second at most. Answers whether
 * another one stands there, or has stood there. One that is gone is not replaced: it may be on its way.
 */
export function watchFile(
  path: string,
  now: () => number = () => performance.now(),
): () => boolean {
  let first: string | null = null;
  let lookedAtMs = -Infinity;
  let isReplaced = false;
  return () => {
    if (isReplaced || now() - lookedAtMs < everyMs) return isReplaced;
    lookedAtMs = now();
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found) return false;
    const identity = `${found.dev}:${found.ino}`;
    first ??= identity;
    isReplaced = identity !== first;
    return isReplaced;
  };
}
