/** An error of the network or TLS, or the HTTP status of an attempt that was not upgraded. */
export type AttemptFailure = { readonly error: unknown } | { readonly status: number };

export interface AttemptWatch {
  /** Null if the platform names no cause. */
  readonly failure: AttemptFailure | null;
  end(): void;
}

interface SentRequest {
  readonly origin?: unknown;
  readonly path?: unknown;
  readonly upgrade?: unknown;
}

interface Diagnostics {
  subscribe(name: string, listener: (message: unknown) => void): void;
  unsubscribe(name: string, listener: (message: unknown) => void): void;
}

interface Platform {
  readonly process?: { getBuiltinModule?(name: string): Diagnostics | undefined };
  readonly navigator?: { readonly onLine?: boolean };
}

const platform = globalThis as Platform;

const notWatched: AttemptWatch = { failure: null, end: () => undefined };

/**
 * Watches one of Node's diagnostics channels, because Node's WebSocket events do not name a failure's cause. Failures
 * of other attempts at the same address count too, because they have the same cause. Finds nothing in browsers.
 */
export function watchAttempt(url: string): AttemptWatch {
  const diagnostics = platform.process?.getBuiltinModule?.('node:diagnostics_channel');
  if (diagnostics === undefined) return notWatched;
  const address = url.replace(/^ws/, 'http').replace(/#.*/, '');
  let failure: AttemptFailure | null = null;
  const isThis = ({ origin, path, upgrade }: SentRequest) =>
    upgrade === 'websocket' && `${String(origin)}${String(path)}` === address;
  const onError = (message: unknown) => {
    const { request, error } = message as { request: SentRequest; error: unknown };
    if (isThis(request)) failure ??= { error };
  };
  const onHeaders = (message: unknown) => {
    const { request, response } = message as {
      request: SentRequest;
      response: { statusCode: number };
    };
    if (isThis(request) && response.statusCode !== 101) failure ??= { status: response.statusCode };
  };
  diagnostics.subscribe('undici:request:error', onError);
  diagnostics.subscribe('undici:request:headers', onHeaders);
  return {
    get failure() {
      return failure;
    },
    end() {
      diagnostics.unsubscribe('undici:request:error', onError);
      diagnostics.unsubscribe('undici:request:headers', onHeaders);
    },
  };
}

/** Reads the failure from an error event of the `ws` package. Null for other WebSockets. */
export function failureOfEvent(event: {
  readonly error?: unknown;
  readonly message?: string;
}): AttemptFailure | null {
  const status = /^Unexpected server response: (\d{3})$/.exec(event.message ?? '')?.[1];
  if (status !== undefined) return { status: Number(status) };
  return failureCodeOf(event.error) === '' ? null : { error: event.error };
}

/** The end of a sentence that says why the attempt failed; null if unknown. */
export function describeFailure(failure: AttemptFailure | null, url: string): string | null {
  if (platform.navigator?.onLine === false) return 'this device is offline';
  if (failure === null) return null;
  return 'status' in failure ? describeStatus(failure.status) : describeError(failure.error, url);
}

function describeStatus(status: number): string {
  const meanings: Readonly<Record<number, string>> = {
    401: 'the sign-in was refused',
    403: 'this origin or agent was refused',
    404: 'there is no WebSocket at this path (/v1/ws is added to a url without a path, or with a slash at its end)',
    429: 'too many connections come from this address',
    502: 'the proxy does not reach the hub',
    503: 'the hub is full or not ready',
    504: 'the proxy gets no answer from the hub',
  };
  const meaning =
    meanings[status] ??
    'there was no upgrade to a WebSocket; is this a hub, and do all proxies before it pass on the headers Upgrade and Connection';
  return `${meaning} (HTTP ${status})`;
}

function describeError(error: unknown, url: string): string {
  const code = failureCodeOf(error);
  const { hostname, host } = new URL(url);
  const text = isObject(error) && 'message' in error ? String(error.message) : String(error);
  switch (code) {
    case 'ECONNREFUSED':
      return `no server listens at ${host} (${code})`;
    case 'ENOTFOUND':
      return `there is no host of the name ${hostname} (${code})`;
    case 'EAI_AGAIN':
      return `the name ${hostname} cannot be looked up now (${code})`;
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
    case 'ENETDOWN':
      return `there is no route to ${host} (${code})`;
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return `${host} did not answer in time (${code})`;
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      return `${host} closed the connection before it answered; a server with TLS needs wss:// (${code})`;
    case 'EPROTO':
      return `${host} does not speak TLS; a server without it needs ws:// (${code})`;
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `the certificate is for another name than ${hostname} (${code})`;
  }
  if (code.includes('WRONG_VERSION_NUMBER') || code.includes('PACKET_LENGTH'))
    return `${host} does not speak TLS; a server without it needs ws:// (${code})`;
  if (/CERT|ISSUER|SIGNATURE/.test(code))
    return `the certificate is not trusted: ${text}; NODE_EXTRA_CA_CERTS names a private authority (${code})`;
  return code === '' ? text : `${text} (${code})`;
}

/**
 * An attempt at several addresses fails with one error for each address. The first of these errors counts. If it has no
 * code, its cause may have one.
 */
function failureCodeOf(error: unknown): string {
  for (let inner = error, depth = 0; isObject(inner) && depth < 4; depth += 1) {
    const { code, errors, cause } = inner as {
      code?: unknown;
      errors?: unknown[];
      cause?: unknown;
    };
    if (typeof code === 'string' && code !== '') return code;
    inner = errors?.[0] ?? cause;
  }
  return '';
}

// `instanceof` would be false for errors of another realm.
function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
