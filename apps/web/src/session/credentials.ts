import { storageOfHub } from '../page/page-base.ts';
import { createStoredValue } from '../page/stored-value.ts';

/** A token, or, on a hub in dev mode, a name. Such a hub accepts any name without proof. */
export type Credentials =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'name'; readonly agentId: string; readonly isAdmin?: boolean };

/** Null when this tab has no credentials. Open tabs share them, see `createSharedSignIn`. */
export const storedCredentials = () =>
  createStoredValue<Credentials | null>(storageOfHub(sessionStorage), 'openclaw.credentials', null)
    .value;

/** The person's name, kind and role. Each request to a hub in dev mode sends them in its query. */
export function devIdentity({ agentId, isAdmin }: Extract<Credentials, { readonly kind: 'name' }>) {
  return { agent: agentId, kind: 'person', ...(isAdmin && { role: 'admin' }) };
}
