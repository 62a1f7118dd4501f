import crypto from 'k6/crypto';
import encoding from 'k6/encoding';
import exec from 'k6/execution';
import http, { type RefinedResponse } from 'k6/http';
import { type ThresholdsFile } from './thresholds.ts';

const url = (__ENV.HUB_URL ?? 'http://127.0.0.1:8080').replace(/^ws/, 'http').replace(/\/$/, '');
const secret = __ENV.HUB_JWT_SECRET ?? '';

/** k6 reads files only while it loads a script. */
export const thresholdsFile = JSON.parse(
  open(__ENV.THRESHOLDS ?? '../thresholds.json'),
) as ThresholdsFile;

function tokenOf(agentId: string): string {
  const now = Math.floor(Date.now() / 1000);
  const part = (value: object) => encoding.b64encode(JSON.stringify(value), 'rawurl');
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: agentId, iat: now, exp: now + 3600 })}`;
  return `${signed}.${crypto.hmac('sha256', secret, signed, 'base64rawurl')}`;
}

/** Signs in with a token if there is a secret, otherwise by HUB_AUTH=dev. */
export function signIn(
  path: string,
  agentId: string,
): { address: string; headers: Record<string, string> } {
  if (secret !== '')
    return { address: url + path, headers: { Authorization: `Bearer ${tokenOf(agentId)}` } };
  const separator = path.includes('?') ? '&' : '?';
  return { address: `${url}${path}${separator}agent=${agentId}`, headers: {} };
}

export function request(
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  agentId: string,
  more: { readonly body?: object; readonly tags?: Record<string, string> } = {},
): RefinedResponse<'text'> {
  const { address, headers } = signIn(path, agentId);
  const { body, tags = {} } = more;
  return http.request(method, address, body ? JSON.stringify(body) : null, {
    responseType: 'text',
    tags,
    headers: { ...headers, ...(body && { 'Content-Type': 'application/json' }) },
  });
}

export function mustRequest(...call: Parameters<typeof request>): string {
  const { status, body } = request(...call);
  if (status >= 300 || status === 0)
    exec.test.abort(`${call[0]} ${call[1]}: ${status} ${String(body)}`);
  return body ?? '';
}
