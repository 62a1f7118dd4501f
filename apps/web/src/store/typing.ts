/** When each agent's typing ends unless it is said again, in milliseconds. */
export type TypingMarks = ReadonlyMap<
  string,
  { readonly untilMs: number; readonly threadId: string | null }
>;

// The hub itself says stop after 10 s; this is for a stop that got lost.
const markMs = 12_000;

/** What an agent's starting or stopping makes of the marks. */
export function withTyping(
  marks: TypingMarks,
  event: { readonly agentId: string; readonly typing: boolean; readonly threadId: string | null },
  nowMs: number,
): TypingMarks {
  if (!event.typing && !marks.has(event.agentId)) return marks;
  const next = new Map(marks);
  if (event.typing) next.set(event.agentId, { untilMs: nowMs + markMs, threadId: event.threadId });
  else next.delete(event.agentId);
  return next;
}

/** Forgets what is over; the same map when nothing is. */
export function withoutExpired(marks: TypingMarks, nowMs: number): TypingMarks {
  const live = [...marks].filter(([, { untilMs }]) => untilMs > nowMs);
  return live.length === marks.size ? marks : new Map(live);
}

/** “ada is typing”, “ada and bob are typing”, “ada, bob and 9 others are typing”; null when nobody is. */
export function typingText(agentIds: readonly string[]): string | null {
  const [first, second, ...others] = agentIds;
  if (first === undefined) return null;
  if (second === undefined) return `${first} is typing`;
  if (others.length === 0) return `${first} and ${second} are typing`;
  const more = others.length === 1 ? 'one other' : `${others.length} others`;
  return `${first}, ${second} and ${more} are typing`;
}
