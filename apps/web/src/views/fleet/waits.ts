import type { Session } from '../../session/session.ts';
import type { AskAnswers, OpenAsks } from '../../store/asks.ts';
import type { Questions } from '../../store/questions.ts';

export interface Waiting {
  readonly openAsks: OpenAsks;
  readonly answers: AskAnswers;
  readonly questions: Questions;
}

/**
 * An agent waits for addressees who have not finished its asks, and for responders of its open questions. Messages that
 * the page has not loaded do not count.
 */
export function waitsOf(
  channels: Iterable<Waiting>,
  nowMs: number,
): ReadonlyMap<string, ReadonlySet<string>> {
  const waits = new Map<string, Set<string>>();
  const add = (from: string, to: string) => {
    const known = waits.get(from);
    if (known === undefined) waits.set(from, new Set([to]));
    else known.add(to);
  };
  for (const { openAsks, answers, questions } of channels) {
    for (const [askId, { from, to, deadlineMs }] of openAsks) {
      for (const agentId of to) {
        const state = answers.get(askId)?.get(agentId)?.state ?? 'open';
        if (state === 'accepted' || (state === 'open' && deadlineMs > nowMs)) add(from, agentId);
      }
    }
    for (const { openedBy, state, expiresMs, responders, answers: given } of questions.values()) {
      if (state !== 'open' || (expiresMs !== null && expiresMs <= nowMs)) continue;
      const others = responders?.filter((id) => !given.some(({ agentId }) => agentId === id));
      for (const agentId of others ?? ['a person']) add(openedBy, agentId);
    }
  }
  return waits;
}

export function useWaits({ chats }: Session): ReturnType<typeof waitsOf> {
  const channels = [...chats.byId.value.values()].map(({ openAsks, asks, questions }) => ({
    ...{ openAsks: openAsks.value, answers: asks.value, questions: questions.value },
  }));
  return waitsOf(channels, Date.now());
}

const namedMax = 3;

/** The text is, for example, “waits for ana, ben, cem and 2 others”; null when the agent waits for nobody. */
export function waitsText(agentIds: ReadonlySet<string> | undefined): string | null {
  if (agentIds === undefined || agentIds.size === 0) return null;
  const shown = [...agentIds].slice(0, namedMax).join(', ');
  const more = agentIds.size - namedMax;
  const others = more === 1 ? ' and one other' : more > 1 ? ` and ${more} others` : '';
  return `waits for ${shown}${others}`;
}
