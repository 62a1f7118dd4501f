import { storageOfHub } from '../page/page-base.ts';
import { createStoredValue } from '../page/stored-value.ts';

/** A token, or a name on a hub in dev mode, which accepts any name without proof. */
export type Credentials =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'name'; readonly agentId: string; readonly isAdmin?: boolean };

/** Null when this tab has no credentials. Open tabs share them, see `createSharedSignIn`. */
export const storedCredentials = () =>
  createStoredValue<Credentials | null>(storageOfHub(sessionStorage), 'openclaw.credentials', null)
    .value;

/** The name, kind and role of the person, which each request sends in its query to a hub in dev mode. */
export function devIdentity({ agentId, isAdmin }: Extract<Credentials, { readonly kind: 'name' }>) {
  return { agent: agentId, kind: 'person', ...(isAdmin && { role: 'admin' }) };
}
