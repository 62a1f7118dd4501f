import type { Credentials } from '../../session/credentials.ts';

/** An answer of the hub's, or why there is none in words for whoever watches. */
export type Answer<T> = { readonly value: T } | { readonly problem: string };

const answerWithinMs = 5_000;

/** Asks for what only admins see; `path` goes behind /v1/operations. */
export async function askOperations<T>(
  credentials: Credentials,
  path = '',
  query: Readonly<Record<string, string>> = {},
): Promise<Answer<T>> {
  const params = new URLSearchParams(query);
  const headers: Record<string, string> = {};
  if (credentials.kind === 'name') params.set('agent', credentials.agentId);
  else headers.authorization = `Bearer ${credentials.token}`;
  try {
    const signal = AbortSignal.timeout(answerWithinMs);
    const response = await fetch(`/v1/operations${path}?${params}`, { headers, signal });
    if (response.status === 401 || response.status === 403)
      return { problem: 'This view is for admins only.' };
    if (response.status === 404)
      return { problem: 'This hub is of a version that has no operations view.' };
    if (!response.ok) return { problem: `The hub answers with ${response.status}.` };
    return { value: (await response.json()) as T };
  } catch {
    return { problem: 'The hub cannot be reached.' };
  }
}
