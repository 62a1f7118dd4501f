export interface RedisUrlParts {
  /** A host, or the absolute path of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly username?: string;
  readonly password?: string;
  readonly db?: number;
  readonly family?: 4 | 6;
}

/** `problem` completes a sentence that begins with the name of the URL. It quotes no user and no password. */
export interface RedisUrlProblem {
  readonly problem: string;
}

/** Maps each scheme to true if it requires TLS. */
const schemes = new Map([
  ['redis:', false],
  ['rediss:', true],
  ['valkey:', false],
  ['valkeys:', true],
  ['unix:', false],
]);

const unknownScheme =
  'must begin with redis:// or rediss:// (TLS), valkey:// or valkeys:// (TLS), or unix:///';
const unencoded =
  'cannot be read: write / as %2F, @ as %40, : as %3A, ? as %3F, # as %23 and % as %25 in its user and password, or ' +
  'set the password separately';

/**
 * Parses `redis://[user[:password]@]host[:port][/db][?family=4|6]`, or `unix://[user[:password]@]/path[?db=n]`, whose
 * host is the path. Never throws, so no error can quote a password.
 */
export function parseRedisUrl(text: string): RedisUrlParts | RedisUrlProblem {
  const scheme = /^([a-z]+:)\/\//i.exec(text)?.[1]?.toLowerCase() ?? '';
  const tls = schemes.get(scheme);
  if (tls === undefined) return { problem: unknownScheme };
  const isUnix = scheme === 'unix:';
  // The class URL rejects a user before an empty host, so the URL of a socket gets a placeholder host.
  const whole = isUnix ? text.replace(/^(unix:\/\/(?:[^/]*@)?)\//i, '$1localhost/') : text;
  const url = URL.canParse(whole) ? new URL(whole) : null;
  // An @ after the host probably belongs to a password that was not encoded.
  const misplaced = url === null ? whole : (isUnix ? '' : url.pathname) + url.search + url.hash;
  if (misplaced.includes('@')) return { problem: unencoded };
  if (url === null || url.hash !== '') return { problem: 'is not a valid address' };
  const decoded = decode(url);
  if (decoded === null) return { problem: unencoded };
  const known = isUnix ? ['db'] : ['family'];
  const unknown = [...url.searchParams.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const named = /^[a-z_]{1,32}$/i.test(unknown) ? ` "${unknown}"` : '';
    return { problem: `has an unknown parameter${named}: only ${known.join()} is supported` };
  }
  const db = isUnix ? url.searchParams.get('db') : url.pathname.replace(/^\//, '');
  if (db && !/^\d+$/.test(db)) return { problem: 'does not end in a database number' };
  const family = url.searchParams.get('family');
  if (family !== null && family !== '4' && family !== '6') {
    return { problem: 'has a family that is neither 4 nor 6' };
  }
  if (isUnix && (url.hostname !== 'localhost' || decoded.path === '/')) {
    return { problem: 'must name the absolute path of a socket, as in unix:///run/redis.sock' };
  }
  return {
    host: isUnix ? decoded.path : url.hostname.replace(/^\[(.*)\]$/, '$1') || 'localhost',
    port: url.port === '' ? 6379 : Number(url.port),
    tls,
    ...(decoded.username && { username: decoded.username }),
    ...(decoded.password && { password: decoded.password }),
    ...(db && { db: Number(db) }),
    ...(family && { family: family === '4' ? (4 as const) : (6 as const) }),
  };
}

function decode({ username, password, pathname }: URL) {
  try {
    return {
      username: decodeURIComponent(username),
      password: decodeURIComponent(password),
      path: decodeURIComponent(pathname),
    };
  } catch {
    // The caller reports the invalid escape.
    return null;
  }
}
