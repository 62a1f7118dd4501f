export function withRecentResults<T>(max: number, resultOf: (text: string) => T) {
  const known = new Map<string, { readonly result: T }>();
  return (text: string): T => {
    const found = known.get(text);
    if (found !== undefined) return found.result;
    const result = resultOf(text);
    known.set(text, { result });
    const oldest = known.size > max ? known.keys().next().value : undefined;
    if (oldest !== undefined) known.delete(oldest);
    return result;
  };
}
