/** How somebody signed in: by a token, or by name where the hub takes anyone's word for it. */
export type Credentials =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'name'; readonly agentId: string };

const key = 'openclaw.credentials';

/** What this tab signed in with; null when it did not, or what is stored is no use. */
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
    // Text that is no JSON was not written by this page; signing in again replaces it.
  }
  return null;
}

/** Keeps them for this tab, and for no longer than it. */
export function saveCredentials(storage: Storage, credentials: Credentials): void {
  storage.setItem(key, JSON.stringify(credentials));
}

/** Forgets them. */
export function clearCredentials(storage: Storage): void {
  storage.removeItem(key);
}
