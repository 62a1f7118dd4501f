import type { OperationsAgents } from '@openclaw/protocol';
import { hubAddress } from '../page/page-base.ts';
import { allPages } from '../store/all-pages.ts';
import type { Credentials } from './credentials.ts';

const timeoutMs = 5_000;

/** An agent with a socket on the hub. */
export type ConnectedAgent = OperationsAgents['agents'][number];

/** The hub refuses the operations view to this agent, or has none. Asking again is useless. */
export class OperationsRefused extends Error {
  override readonly name = 'OperationsRefused';
}

/** Reads `/v1/operations` followed by `path`. Rejects with a text for the reader. */
export async function readOperations<T>(
  credentials: Credentials,
  path = '',
  query: Readonly<Record<string, string>> = {},
): Promise<T> {
  const isByName = credentials.kind === 'name';
  const identity = isByName ? { agent: credentials.agentId, kind: 'person' } : {};
  const params = new URLSearchParams({ ...query, ...identity });
  const headers = isByName ? {} : { authorization: `Bearer ${credentials.token}` };
  const signal = AbortSignal.timeout(timeoutMs);
  const unreachable = () => {
    throw new Error('The hub cannot be reached.');
  };
  const url = hubAddress(`v1/operations${path}?${params}`);
  const response = await fetch(url, { headers, signal }).catch(unreachable);
  const { status } = response;
  if (status === 401 || status === 403)
    throw new OperationsRefused('This view is for admins only.');
  if (status === 404) throw new OperationsRefused('This hub has no operations view.');
  if (!response.ok) throw new Error(`The hub answered with status ${status}.`);
  return (await response.json().catch(unreachable)) as T;
}

/** The agents on the hub that serves the page, at most 2,000. */
export async function readConnected(credentials: Credentials): Promise<readonly ConnectedAgent[]> {
  const { items } = await allPages(({ cursor }) => {
    const query = { limit: '200', ...(cursor !== null && { cursor }) };
    return readOperations<OperationsAgents>(credentials, '/agents', query);
  }, 'agents');
  return items;
}
