import { refuseWith, type Refusal } from './errors.ts';

export const freezeScopes = ['hub', 'channel', 'agent'] as const;
export type FreezeScope = (typeof freezeScopes)[number];

const frozenTexts: Readonly<Record<FreezeScope, string>> = {
  hub: 'a person has frozen all agents',
  channel: 'a person has frozen this channel for agents',
  agent: 'a person has frozen this agent',
};

export function refuseFrozen(scope: FreezeScope): Refusal {
  return refuseWith('frozen', frozenTexts[scope], { scope });
}

export function isFreezeEvent(name: string): boolean {
  return name === 'freeze.set' || name === 'freeze.lifted';
}
