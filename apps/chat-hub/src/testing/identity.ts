import type { Identity } from '../edge/identity.ts';

export function identityOf(agentId: string, more: Partial<Identity> = {}): Identity {
  return {
    agentId,
    kind: 'agent',
    isAdmin: false,
    observesPrivate: more.isAdmin ?? false,
    onBehalfOf: null,
    channels: null,
    jti: null,
    minter: null,
    issuedAtMs: null,
    expiresAtMs: null,
    ...more,
  };
}
