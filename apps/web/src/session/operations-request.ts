import type { OperationsAgents, OperationsFleet } from '@openclaw/protocol';
import { hubAddress } from '../page/page-base.ts';
import { allPages } from '../store/all-pages.ts';
import { devIdentity, type Credentials } from './credentials.ts';

const timeoutMs = 5_000;

export type ConnectedAgent = OperationsAgents['agents'][number];

/**
 * The hub has no operations view, refuses it to the reader, or does not know the requested agent. A further request
 * would fail too.
 */
export class OperationsRefused extends Error {
  override readonly name = 'OperationsRefused';
}

export type FleetAgent = OperationsFleet['agents'][number];

/** Reads `/v1/operations` followed by `path`. Rejects with a text to show to the reader. */
export async function readOperations<T>(
  credentials: Credentials,
  path = '',
  query: Readonly<Record<string, string>> = {},
): Promise<T> {
  const { status, body } = await request(credentials, 'GET', `v1/operations${path}`, query);
  if (status === 401 || status === 403)
    throw new OperationsRefused('This view is for admins only.');
  if (status === 404)
    throw new OperationsRefused(
      path === '' ? 'This hub has no operations view.' : 'The hub does not know this agent.',
    );
  if (status >= 400) throw new Error(`The hub answered with status ${status}.`);
  return body as T;
}

/** The reader must be an admin of a hub that issues tokens. Rejects with a text to show to the reader. */
export async function revokeTokens(
  credentials: Credentials,
  agentId: string,
  reason: string,
): Promise<void> {
  const { status } = await request(credentials, 'DELETE', 'v1/tokens', { sub: agentId, reason });
  if (status === 401 || status === 403) throw new Error('Only admins may do this.');
  if (status >= 400) throw new Error(`The hub answered with status ${status}.`);
}

async function request(
  credentials: Credentials,
  method: string,
  path: string,
  query: Readonly<Record<string, string>>,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const isByName = credentials.kind === 'name';
  const identity = isByName ? devIdentity(credentials) : {};
  const params = new URLSearchParams({ ...query, ...identity });
  const headers = isByName ? {} : { authorization: `Bearer ${credentials.token}` };
  const signal = AbortSignal.timeout(timeoutMs);
  const unreachable = () => {
    throw new Error('The hub cannot be reached.');
  };
  const url = hubAddress(`${path}?${params}`);
  const response = await fetch(url, { method, headers, signal }).catch(unreachable);
  return { status: response.status, body: await response.json().catch(unreachable) };
}

/** Returns agents and services of all hubs, at most 2,000. */
export async function readFleet(credentials: Credentials): Promise<readonly FleetAgent[]> {
  const { items } = await allPages(({ cursor }) => {
    const query = { limit: '200', ...(cursor !== null && { cursor }) };
    return readOperations<OperationsFleet>(credentials, '/fleet', query);
  }, 'agents');
  return items;
}

/** Returns the agents on the hub that serves the page, at most 2,000. */
export async function readConnected(credentials: Credentials): Promise<readonly ConnectedAgent[]> {
  const { items } = await allPages(({ cursor }) => {
    const query = { limit: '200', ...(cursor !== null && { cursor }) };
    return readOperations<OperationsAgents>(credentials, '/agents', query);
  }, 'agents');
  return items;
}
