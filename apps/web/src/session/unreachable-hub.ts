import { webSocketPath } from '@openclaw/protocol/wire';
import { hubAddress } from '../page/page-base.ts';

const timeoutMs = 5_000;

/**
 * A browser hides the reason for a failed WebSocket, so this sends an HTTP request to the same address. The request is
 * a POST, because the hub checks the page's Origin and a GET would not carry it. Returns null when HTTP gives no reason
 * either.
 */
export async function whyUnreachable(): Promise<string | null> {
  if (!navigator.onLine) return 'This device is offline';
  let response: Response;
  try {
    response = await fetch(hubAddress(webSocketPath.slice(1)), {
      method: 'POST',
      redirect: 'manual',
      cache: 'no-store',
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch {
    return 'Nothing answers at this address';
  }
  const { status } = response;
  // 405 is the hub's own answer to HTTP at this path. HTTP therefore works, and only the upgrade is lost.
  if (status === 405 && isOfHub(response))
    return 'The hub answers, but no WebSocket reaches it: the proxy before it must pass on the headers Upgrade and Connection, over HTTP/1.1';
  if (status === 403 && isOfHub(response))
    return `The hub refuses this page: ${await reasonOf(response)}`;
  if (status === 502 || status === 504)
    return `The proxy answers, but the hub behind it does not (HTTP ${status})`;
  if (status === 503 || status === 429) return null;
  return `This is not the address of a hub: its WebSocket answers HTTP ${status}`;
}

/** Every answer of a hub has this header, but a proxy's own answers do not. */
function isOfHub({ headers }: Response): boolean {
  return headers.has('x-request-id');
}

async function reasonOf(response: Response): Promise<string> {
  const body = (await response.json().catch(() => null)) as { error?: { message?: string } } | null;
  return body?.error?.message ?? `HTTP ${response.status}`;
}
