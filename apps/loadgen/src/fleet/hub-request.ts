import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { connectionError } from './connection-error.ts';
import { tlsOptions } from './lean-socket.ts';
import type { TlsSettings } from '../plan/plan.ts';

const timeoutMs = 10_000;
const bodyBytesMax = 1024 * 1024;

/** A proxy may serve the hub below a path prefix. */
function hubAddress(url: string, path: string): URL {
  const address = new URL(url.replace(/^ws/, 'http'));
  const prefix = address.pathname.replace(/\/v1\/ws$/, '').replace(/\/$/, '');
  return new URL(prefix + path, address);
}

/** @throws {LoadgenError} when the connection fails, the answer is too large, or none arrives in time */
export async function requestHub(
  url: string,
  call: {
    readonly tls: TlsSettings;
    readonly method: 'GET' | 'POST';
    readonly path: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: object;
  },
): Promise<{ readonly status: number; readonly body: string }> {
  const address = hubAddress(url, call.path);
  const request = address.protocol === 'https:' ? requestHttps : requestHttp;
  const body = call.body === undefined ? null : JSON.stringify(call.body);
  const options = {
    method: call.method,
    headers: { ...call.headers, ...(body !== null && { 'content-type': 'application/json' }) },
    signal: AbortSignal.timeout(timeoutMs),
    ...tlsOptions(call.tls),
  };
  return new Promise((resolve, reject) => {
    const sent = request(address, options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > bodyBytesMax) response.destroy(new Error('the answer is too large'));
      });
      response.on('error', (error) => reject(connectionError(url, error)));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
    });
    sent.on('error', (error) => reject(connectionError(url, error)));
    sent.end(body);
  });
}
