/**
 * Reads frames as JSON, the same text once. A room's frame is the same for each of its members, so one process that
 * plays them all parses it once instead of a hundred times: what is measured is the hub, not `JSON.parse`. What it
 * answers is shared, so nobody may change it.
 */
export function createFrameCache(max = 256): (text: string) => unknown {
  const parsed = new Map<string, unknown>();
  return (text) => {
    const known = parsed.get(text);
    if (known !== undefined) return known;
    const value: unknown = JSON.parse(text);
    if (parsed.size >= max)
      for (const oldest of parsed.keys()) {
        parsed.delete(oldest);
        break;
      }
    parsed.set(text, value);
    return value;
  };
}
