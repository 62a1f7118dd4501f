export const activeTurnStates = ['queued', 'thinking', 'tool', 'streaming', 'waiting'] as const;
export const turnStates = [...activeTurnStates, 'idle'] as const;
export type TurnStateName = (typeof turnStates)[number];

export const turnStateEvent = 'turn.state';

/** Valid until `untilMs`, or until the agent's next state in the thread. */
export interface TurnStatePayload {
  readonly agentId: string;
  readonly threadId: string | null;
  readonly state: TurnStateName;
  readonly label: string | null;
  readonly queueDepth: number | null;
  readonly untilMs: number;
}
