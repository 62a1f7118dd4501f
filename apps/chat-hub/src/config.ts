import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadEnvFile } from 'node:process';
import { limits } from '@openclaw/protocol';
import { parseRedisEnvironment, type RedisConnection } from '@openclaw/redis-client';
import { parseLimit, type Limit } from '@openclaw/ratelimit';
import { z } from 'zod';
import { databaseProblem, databaseUrlOf, databaseVariables } from './database-settings.ts';
import { parseAllowedOrigin } from './edge/allowed-origins.ts';
import { parsePublicUrl } from './edge/public-url.ts';
import { createRemoteAddress } from './edge/remote-address.ts';
import { jwtSettingsOf, jwtVariables, type JwtSettings } from './jwt-settings.ts';
import { readSecretFiles, secretNames } from './secret-files.ts';
import { misspelledName } from './unknown-names.ts';

export interface Config {
  readonly host: string;
  readonly port: number;
  /** Null: readiness and metrics are served on `port`. */
  readonly opsPort: number | null;
  /** `sqlite:<path>` or `postgres://…` */
  readonly databaseUrl: string;
  /** When null, the hub uses localhost:6379 as soon as a Redis answers there. */
  readonly redis: RedisConnection | null;
  readonly auth: AuthConfig;
  /** Ends with a slash. When null, it is taken from the Host of each request. */
  readonly publicUrl: string | null;
  /** An entry may have a wildcard. The hub's own origin is always allowed. */
  readonly allowedOrigins: readonly string[];
  readonly limits: {
    readonly message: Limit;
    readonly append: Limit;
    readonly reaction: Limit;
    readonly typing: Limit;
    /**
     * This limit counts new channels, memberships given to others, and first direct messages; see creation-limit.ts.
     */
    readonly create: Limit;
  };
  /** Null: the default, which grows with the other limits. */
  readonly callLimit: Limit | null;
  /** True if admins may read private and direct channels without being members. */
  readonly adminsObservePrivate: boolean;
  /** Limits how often an agent may address another agent. Past the limit, the pair is paused. Null: no limit. */
  readonly agentLoop: Limit | null;
  /**
   * Limits the agents' messages in a thread or direct channel that has no budget. Past the limit, the agents are paused
   * there. Null: no limit.
   */
  readonly agentTurns: Limit | null;
  /** Null: everything is kept, unless the channel sets a limit. */
  readonly retention: { readonly retentionMs: number | null; readonly maxMessages: number | null };
  readonly auditRetentionMs: number;
  /** Null: as many as the limit of open files allows. */
  readonly maxConnections: number | null;
  /**
   * The hub trusts the `X-Forwarded-…` headers of these addresses, CIDR ranges, or named ranges such as `loopback`.
   */
  readonly trustedProxies: readonly string[];
  /** Null: the folder that `npm start` builds. */
  readonly webDir: string | null;
  readonly isTraced: boolean;
  readonly startTimeoutMs: number;
  /**
   * For this time, a stopping hub still serves, but `/readyz` says that it is not ready. Balancers then notice before
   * the drain.
   */
  readonly drainDelayMs: number;
  /** A drain spreads the closes of its sockets over at most this time. */
  readonly drainMs: number;
  readonly logLevel: string;
  /** With NODE_ENV=production everything that the hub prints is JSON. */
  readonly isProduction: boolean;
  readonly unknownNames: readonly string[];
  /** systemd waits on this socket for the hub's readiness; null without systemd. */
  readonly notifySocket: string | null;
}

export type AuthConfig = { readonly mode: 'dev' } | ({ readonly mode: 'jwt' } & JwtSettings);

/** The message names every bad variable, one per line, and never the value of a secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'invalid_environment';
}

const port = z.coerce.number().int().min(0).max(65_535);
/** If `parse` throws, the issue has the given `message`, or else the message of the error. */
const parsedBy = <T>(parse: (text: string) => T, message?: string) =>
  z.string().transform((text, context) => {
    try {
      return parse(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: message ?? messageOf(error) });
      return z.NEVER;
    }
  });
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

const limit = parsedBy(parseLimit);
const limitOrNone = parsedBy((text) => (text.trim() === '0' ? null : parseLimit(text)));
const milliseconds = (max: number) => z.coerce.number().int().min(0).max(max);
const listOf = (text: string) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);
const trustedProxies = parsedBy((text) => {
  const list = listOf(text);
  createRemoteAddress(list);
  return list;
}, 'must be a comma-separated list of addresses or ranges such as 10.0.0.0/8');

const environmentSchema = z.object({
  NODE_ENV: z.string().default('development'),
  HUB_HOST: z.string().optional(),
  HUB_PORT: port.default(8080),
  HUB_OPS_PORT: port.optional(),
  ...databaseVariables,
  HUB_AUTH: z.enum(['dev', 'jwt']).optional(),
  ...jwtVariables,
  HUB_PUBLIC_URL: parsedBy(parsePublicUrl).optional(),
  HUB_ALLOWED_ORIGINS: z
    .string()
    .default('')
    .transform(listOf)
    .pipe(z.array(parsedBy(parseAllowedOrigin))),
  HUB_TRUSTED_PROXIES: trustedProxies.prefault(''),
  HUB_MAX_CONNECTIONS: z.coerce.number().int().min(1).max(10_000_000).optional(),
  HUB_LIMIT_MESSAGE: limit.prefault('600/60'),
  HUB_LIMIT_APPEND: limit.prefault('12000/60'),
  HUB_LIMIT_REACTION: limit.prefault('600/60'),
  HUB_LIMIT_TYPING: limit.prefault('600/60'),
  // Setting up 111 agents in 20 channels must be possible. It creates 2,240 objects: 20 channels and 2,220 memberships.
  HUB_LIMIT_CREATE: limit.prefault('6000/3600'),
  HUB_LIMIT_CALLS: limit.optional(),
  HUB_ADMIN_READS: z.enum(['all', 'public']).default('all'),
  HUB_AGENT_LOOP: limitOrNone.prefault('100/60'),
  HUB_AGENT_TURNS: limitOrNone.prefault('500/600'),
  HUB_RETENTION_MS: z.coerce.number().int().min(1).max(limits.retentionMs).optional(),
  HUB_RETENTION_MAX_MESSAGES: z.coerce.number().int().min(1).max(limits.maxMessages).optional(),
  HUB_AUDIT_RETENTION_MS: z.coerce
    .number()
    .int()
    .min(1)
    .max(limits.retentionMs)
    .default(34_560_000_000),
  HUB_WEB_DIR: z.string().optional(),
  HUB_TRACING: z.enum(['on', 'off']).default('off'),
  HUB_START_TIMEOUT_MS: milliseconds(86_400_000).default(300_000),
  HUB_DRAIN_DELAY_MS: milliseconds(600_000).default(0),
  HUB_DRAIN_MS: milliseconds(600_000).default(10_000),
  NOTIFY_SOCKET: z.string().optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
});

const loopbackHosts = ['127.0.0.1', '::1', 'localhost'];
const isLoopbackUrl = (url: string) =>
  loopbackHosts.includes(new URL(url).hostname.replace(/^\[|\]$/g, ''));

type Environment = Readonly<Record<string, string | undefined>>;

const hubNames = [
  ...Object.keys(environmentSchema.shape),
  ...secretNames.map((name) => `${name}_FILE`),
].filter((name) => name.startsWith('HUB_'));

export function isProduction({ NODE_ENV }: { readonly NODE_ENV?: string | undefined }): boolean {
  return NODE_ENV === 'production';
}

/**
 * An empty variable counts as unset. Reads the files that `…_FILE` variables name.
 * @throws {ConfigError} naming each variable that is not valid
 */
export function parseConfig(environment: Environment): Config {
  const files = readSecretFiles(environment);
  const given = Object.fromEntries(
    Object.entries(files.environment).filter(([, value]) => value !== ''),
  );
  const parsed = environmentSchema.safeParse(given);
  const problems = [...files.problems];
  for (const { path, message } of parsed.error?.issues ?? [])
    problems.push(`${path.join('.')}: ${message}`);
  const inDatabase = databaseProblem(given);
  if (inDatabase !== null) problems.push(inDatabase);

  // Unknown names are allowed: Kubernetes injects some for a service named "hub", and the configuration may already
  // name variables of the next release.
  const unknownNames = Object.keys(given).filter(
    (name) => name.startsWith('HUB_') && !hubNames.includes(name),
  );
  for (const name of unknownNames) {
    const meant = misspelledName(name, hubNames);
    if (meant !== null) problems.push(`${name}: there is no such variable; is ${meant} meant?`);
  }

  let redis: RedisConnection | null = null;
  try {
    redis = parseRedisEnvironment(given);
  } catch (error) {
    problems.push(messageOf(error));
  }
  if (!parsed.success) throw new ConfigError(problems.join('\n'));

  const env = parsed.data;
  const production = isProduction(env);
  const hasKey = env.HUB_JWT_SECRET !== undefined || env.HUB_JWKS_URL !== undefined;
  const mode = env.HUB_AUTH ?? (production || hasKey ? 'jwt' : 'dev');
  const isLoopback = env.HUB_HOST === undefined || loopbackHosts.includes(env.HUB_HOST);
  if (mode === 'dev' && production) {
    problems.push(
      'HUB_AUTH: dev lets any client act as any agent, so it is refused with NODE_ENV=production; set HUB_AUTH=jwt',
    );
  }
  if (mode === 'dev' && !isLoopback) {
    problems.push(
      'HUB_HOST: with HUB_AUTH=dev the hub listens on loopback only; set HUB_AUTH=jwt to listen elsewhere',
    );
  }
  if (mode === 'dev' && env.HUB_PUBLIC_URL !== undefined && !isLoopbackUrl(env.HUB_PUBLIC_URL)) {
    problems.push(
      'HUB_PUBLIC_URL: with HUB_AUTH=dev it must be on localhost; set HUB_AUTH=jwt to publish the hub',
    );
  }
  if (env.HUB_OPS_PORT !== undefined && env.HUB_OPS_PORT === env.HUB_PORT && env.HUB_PORT !== 0) {
    problems.push('HUB_OPS_PORT: must differ from HUB_PORT');
  }
  if (mode === 'jwt' && !hasKey) {
    problems.push('HUB_JWT_SECRET or HUB_JWKS_URL: one of them is needed with HUB_AUTH=jwt');
  }
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));

  return {
    host: env.HUB_HOST ?? (mode === 'dev' ? '127.0.0.1' : '0.0.0.0'),
    port: env.HUB_PORT,
    opsPort: env.HUB_OPS_PORT ?? null,
    databaseUrl: databaseUrlOf(env),
    redis,
    auth: mode === 'dev' ? { mode } : { mode, ...jwtSettingsOf(env) },
    publicUrl: env.HUB_PUBLIC_URL ?? null,
    allowedOrigins: env.HUB_ALLOWED_ORIGINS,
    limits: {
      message: env.HUB_LIMIT_MESSAGE,
      append: env.HUB_LIMIT_APPEND,
      reaction: env.HUB_LIMIT_REACTION,
      typing: env.HUB_LIMIT_TYPING,
      create: env.HUB_LIMIT_CREATE,
    },
    callLimit: env.HUB_LIMIT_CALLS ?? null,
    adminsObservePrivate: env.HUB_ADMIN_READS === 'all',
    agentLoop: env.HUB_AGENT_LOOP,
    agentTurns: env.HUB_AGENT_TURNS,
    retention: {
      retentionMs: env.HUB_RETENTION_MS ?? null,
      maxMessages: env.HUB_RETENTION_MAX_MESSAGES ?? null,
    },
    auditRetentionMs: env.HUB_AUDIT_RETENTION_MS,
    maxConnections: env.HUB_MAX_CONNECTIONS ?? null,
    trustedProxies: env.HUB_TRUSTED_PROXIES,
    webDir: env.HUB_WEB_DIR === undefined ? null : resolve(env.HUB_WEB_DIR),
    isTraced: env.HUB_TRACING === 'on',
    startTimeoutMs: env.HUB_START_TIMEOUT_MS,
    drainDelayMs: env.HUB_DRAIN_DELAY_MS,
    drainMs: env.HUB_DRAIN_MS,
    logLevel: env.LOG_LEVEL,
    isProduction: production,
    unknownNames,
    notifySocket: env.NOTIFY_SOCKET ?? null,
  };
}

/** Only this function reads `process.env`. Environment variables override a `.env` file in the working directory. */
export function readEnvironment(): Environment {
  if (existsSync('.env')) loadEnvFile('.env');
  return process.env;
}

export function readConfig(): Config {
  return parseConfig(readEnvironment());
}
