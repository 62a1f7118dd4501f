/** A token; or a name, on a hub that accepts any name without proof. */
export type Credentials =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'name'; readonly agentId: string };

const key = 'openclaw.credentials';

/** The credentials of this tab; null when it has none, or when they cannot be parsed. */
export function loadCredentials(storage: Storage): Credentials | null {
  try {
    const stored = JSON.parse(storage.getItem(key) ?? 'null') as Partial<
      Record<'kind' | 'token' | 'agentId', unknown>
    > | null;
    if (stored?.kind === 'token' && typeof stored.token === 'string') {
      return { kind: 'token', token: stored.token };
    }
    if (stored?.kind === 'name' && typeof stored.agentId === 'string') {
      return { kind: 'name', agentId: stored.agentId };
    }
  } catch {
    // Not written by this page; the next sign-in replaces it.
  }
  return null;
}

export function saveCredentials(storage: Storage, credentials: Credentials): void {
  storage.setItem(key, JSON.stringify(credentials));
}

export function clearCredentials(storage: Storage): void {
  storage.removeItem(key);
}
