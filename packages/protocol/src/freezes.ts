import { refuseWith, type Refusal } from './errors.ts';

/** A freeze covers every agent, one channel, or one agent. */
export const freezeScopes = ['hub', 'channel', 'agent'] as const;
export type FreezeScope = (typeof freezeScopes)[number];

const frozenTexts: Readonly<Record<FreezeScope, string>> = {
  hub: 'a person has frozen all agents',
  channel: 'a person has frozen this channel for agents',
  agent: 'a person has frozen this agent',
};

/** The refusal for a caller of kind agent that a freeze of this scope covers. */
export function refuseFrozen(scope: FreezeScope): Refusal {
  return refuseWith('frozen', frozenTexts[scope], { scope });
}

/** True for the names of the events that say that a freeze was set or lifted. */
export function isFreezeEvent(name: string): boolean {
  return name === 'freeze.set' || name === 'freeze.lifted';
}
