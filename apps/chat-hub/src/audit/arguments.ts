import { parseArgs } from 'node:util';
import { createKeySchema } from '@openclaw/key-schema';
import { parseRedisEnvironment, type RedisConnection } from '@openclaw/redis-client';
import { parseConfig } from '../config.ts';
import { shownAddress } from '../observe/shown-address.ts';
import type { AuditOptions } from './audit.ts';

export const help = `npm run audit:redis -- [--url redis://…] [options]
Walks a live Redis and holds every key against the key table. It only reads.
Exits with 0 when all is right, 1 with findings, 2 when it could not look.

  --url URL          redis://[user[:password]@]host[:port][/db], rediss:// for TLS; of a Cluster, any node.
                     Without it, the hub's own: CHAT_REDIS_…, REDIS_…, or localhost. A URL that names a user without
                     a password takes the password from AUDIT_REDIS_PASSWORD, which keeps it out of the process list.
  --role ROLE        production or development; production must also persist. By default as NODE_ENV says.
  --prefix TEXT      the beginning of the hub's names (openclaw:)
  --shared           keys of other prefixes belong to other programs, and are no finding
  --replicas         on Cluster, reads each shard at a replica
  --rate N           the most keys per second (2000)
  --count N          the COUNT of SCAN, 1 to 1000 (100)
  --samples N        how many keys of each finding are shown, 1 to 100 (5)
  --recheck SECONDS  when possible orphans are looked at again, 0 to 60 (12, longer than a hub's heartbeat)
  --json             prints one JSON object`;

export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'usage';
}

export interface AuditArguments {
  readonly connection: RedisConnection;
  readonly shownUrl: string;
  readonly preferReplicas: boolean;
  readonly isJson: boolean;
  readonly options: AuditOptions;
}

type Environment = Readonly<Record<string, string | undefined>>;

export function readArguments(args: readonly string[], env: Environment): AuditArguments | null {
  const values = parsed(args);
  if (values.help) return null;
  const whole = (name: 'rate' | 'count' | 'samples' | 'recheck', min: number, max: number) => {
    const value = Number(values[name]);
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    throw new UsageError(`--${name} must be a whole number from ${min} to ${max}`);
  };
  const role = values.role ?? (env.NODE_ENV === 'production' ? 'production' : 'development');
  if (role !== 'production' && role !== 'development')
    throw new UsageError('--role must be production or development');
  let prefix: string;
  try {
    ({ prefix } = createKeySchema(values.prefix === undefined ? {} : { prefix: values.prefix }));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const connection = connectionOf(values.url, env);
  return {
    connection,
    shownUrl: shownAddress(connection),
    preferReplicas: values.replicas,
    isJson: values.json,
    options: {
      role,
      prefix,
      isShared: values.shared,
      keysPerSecond: whole('rate', 1, 1_000_000),
      count: whole('count', 1, 1_000),
      maxSamples: whole('samples', 1, 100),
      recheckMs: whole('recheck', 0, 60) * 1_000,
      windowsMs: windowsOf(env),
    },
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        url: { type: 'string' },
        role: { type: 'string' },
        prefix: { type: 'string' },
        shared: { type: 'boolean', default: false },
        replicas: { type: 'boolean', default: false },
        rate: { type: 'string', default: '2000' },
        count: { type: 'string', default: '100' },
        samples: { type: 'string', default: '5' },
        recheck: { type: 'string', default: '12' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    // The error's message may quote a misplaced argument, such as a URL with a password.
    throw new UsageError(redacted((error as Error).message));
  }
}

function connectionOf(url: string | undefined, env: Environment): RedisConnection {
  if (url === undefined) {
    try {
      return parseRedisEnvironment(env) ?? { host: '127.0.0.1', port: 6379 };
    } catch (error) {
      throw new UsageError((error as Error).message);
    }
  }
  if (!/^rediss?:\/\//.test(url) || !URL.canParse(url))
    throw new UsageError('--url must be redis://… or rediss://…');
  const { username, password } = new URL(url);
  const secret = env.AUDIT_REDIS_PASSWORD;
  return { url, ...(username && !password && secret && { password: secret }) };
}

/** Parses only the limits, so that an invalid value of another setting does no harm. */
function windowsOf(env: Environment): Record<string, number> {
  const given = Object.entries(env).filter(([name]) => name.startsWith('HUB_LIMIT_'));
  try {
    const { limits } = parseConfig(Object.fromEntries(given));
    return Object.fromEntries(
      Object.entries(limits).map(([action, { windowMs }]) => [action, windowMs]),
    );
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function redacted(text: string): string {
  return text.replace(/(rediss?:\/\/[^\s:/@]*):[^\s]*@/g, '$1:***@');
}
