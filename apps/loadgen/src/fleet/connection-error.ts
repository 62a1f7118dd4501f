import { LoadgenError } from '../errors.ts';

const certificateCodes = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

function reasonFor(error: Error, { hostname, port, protocol }: URL): string {
  const code = 'code' in error ? String(error.code) : '';
  const at = `${hostname}:${port || (/^(wss|https):$/.test(protocol) ? 443 : 80)}`;
  if (certificateCodes.has(code)) {
    return `its certificate is not trusted (${code}: ${error.message}). Give --ca FILE with its authority, or --insecure to accept any`;
  }
  switch (code) {
    case 'ECONNREFUSED':
      return `the connection was refused: no server listens at ${at}. Is the hub running? \`npm start\` starts one`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `there is no host named ${hostname} (${code})`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `there is no route to ${at} (${code})`;
    case 'ETIMEDOUT':
    case 'ABORT_ERR':
      return `there was no answer from ${at} in time`;
    case 'ECONNRESET':
      return `${at} closed the connection before it answered; a server with TLS needs wss://`;
    case 'EPROTO':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
      return `${at} does not speak TLS; use ws:// for a server without it`;
  }
  if (error.name === 'TimeoutError' || error.name === 'AbortError')
    return `there was no answer from ${at} in time`;
  return error.message;
}

export function connectionError(url: string, error: Error): LoadgenError {
  const reason = reasonFor(error, new URL(url));
  return new LoadgenError('unreachable', `No run against ${url}: ${reason}.`, { cause: error });
}

export function refusedUpgrade(url: string, status: number): LoadgenError {
  const meanings: Readonly<Record<number, string>> = {
    401: 'it refused the sign-in. Give --token-secret-env or --token',
    403: 'it refused the origin or the agent',
    404: 'it has no WebSocket at this path. Is this address the hub’s?',
    429: 'it limits the connections of this address',
    503: 'it is not ready or full',
  };
  const meaning =
    meanings[status] ??
    'it did not upgrade to a WebSocket. Is this address the hub’s, and does each proxy pass on the Upgrade header?';
  return new LoadgenError(
    'refused',
    `No run against ${url}: the server answered HTTP ${status}: ${meaning}`,
  );
}
