import type { Identity } from '../edge/identity.ts';

/** The identity of an agent as in dev mode: no token limits it. */
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
