import type { StoreCore } from './store-core.ts';

/**
 * The calls that keep a hub going: what was committed, whether the database answers, that this hub lives. They are few
 * and small, and stand in no line with what callers ask.
 */
const vitalCalls = [
  'changes',
  'heads',
  'recentHeads',
  'epoch',
  'changeEpoch',
  'beat',
  'cutOffHubs',
] as const satisfies readonly (keyof StoreCore)[];

/** The name of such a call. */
export type VitalCall = (typeof vitalCalls)[number];

/** Whether a call is one of them. */
export function isVitalCall(name: string): name is VitalCall {
  return (vitalCalls as readonly string[]).includes(name);
}
