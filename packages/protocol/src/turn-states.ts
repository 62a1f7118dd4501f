/** What an agent may be doing; `idle` ends its turn. */
export const activeTurnStates = ['queued', 'thinking', 'tool', 'streaming', 'waiting'] as const;
export const turnStates = [...activeTurnStates, 'idle'] as const;
export type TurnStateName = (typeof turnStates)[number];

/** The name of the ephemeral event that shows an agent's turn. */
export const turnStateEvent = 'turn.state';

/** The payload of a `turn.state`. It is valid until `untilMs`, or until a later event of the agent in the thread. */
export interface TurnStatePayload {
  readonly agentId: string;
  readonly threadId: string | null;
  readonly state: TurnStateName;
  readonly label: string | null;
  readonly queueDepth: number | null;
  readonly untilMs: number;
}
