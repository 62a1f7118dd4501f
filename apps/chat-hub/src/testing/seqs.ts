export function seqsOf(events: readonly { readonly seq: number | null }[]): number[] {
  return events.map(({ seq }) => seq).filter((seq) => seq !== null);
}

/** Includes both ends. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
