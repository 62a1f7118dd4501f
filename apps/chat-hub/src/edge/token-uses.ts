import type { ChatStore, TokenUse } from '@openclaw/chat-store';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import type { Identity } from './identity.ts';
import { createWriteBehind } from './write-behind.ts';

/** The most uses that wait for the database. While so many wait, new uses are not recorded. */
const maxPending = 20_000;
/** The most tokens that are remembered. A remembered token is written at most once a minute. */
const maxRemembered = 50_000;
const refreshMs = 60_000;

export function createTokenUses(deps: {
  readonly store: Pick<ChatStore, 'recordTokenUses'>;
  readonly log: Logger;
  readonly clock?: () => number;
}) {
  const { store, log, clock = () => performance.now() } = deps;
  const recordedAtMs = new LRUCache<string, number>({ max: maxRemembered });
  const writes = createWriteBehind<TokenUse>({
    write: (uses) => store.recordTokenUses(uses),
    what: 'uses of tokens',
    ...{ log, clock, maxPending },
  });

  function record({ jti, expiresAtMs }: Identity, isRefused: boolean): void {
    if (jti === null || jti === '' || expiresAtMs === null) return;
    const nowMs = clock();
    const key = `${isRefused ? 'refused' : 'accepted'} ${jti}`;
    if (nowMs - (recordedAtMs.get(key) ?? -Infinity) < refreshMs) return;
    if (writes.add(key, { jti, expiresAtMs, isRefused })) recordedAtMs.set(key, nowMs);
  }

  return {
    /** Call it when a token was accepted. Only tokens that the hub minted are recorded. */
    accepted(identity: Identity): void {
      if (identity.minter !== null) record(identity, false);
    },
    /**
     * Call it when a token was refused as revoked. The recorded use tells when the token expires. After that time, the
     * revocation can be deleted.
     */
    refused: (identity: Identity) => record(identity, true),
    close: () => writes.close(),
  };
}

export type TokenUses = ReturnType<typeof createTokenUses>;
