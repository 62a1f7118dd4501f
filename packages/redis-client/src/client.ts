import { createHash } from 'node:crypto';
import type { RedisKey, TopicName } from '@openclaw/key-schema';
import { createAvailability, type RoundTrip } from './availability.ts';
import {
  closedError,
  isOutage,
  RedisClientError,
  toClientError,
  type WriteRefusal,
} from './errors.ts';
import { readHealth, type RedisHealth } from './health.ts';
import { type Logger, silentLogger } from './logger.ts';
import type { ServerCertificate } from './observed-certificates.ts';
import { openTransports } from './open-transports.ts';
import { type RedisClientOptions, resolveSettings } from './options.ts';
import { createSubscriber, type RedisSubscriber } from './subscriber.ts';
import type { CommandTransport, RedisCommand, RedisReply } from './transport.ts';

export interface Script {
  readonly name: string;
  readonly lua: string;
  readonly sha: string;
}

/** On Cluster, all its keys must be in one slot. */
export interface ScriptCall {
  readonly script: Script;
  readonly keys: readonly (RedisKey | TopicName)[];
  readonly args: readonly (string | number)[];
}

/** `name` is for error messages. Sends nothing. */
export function defineScript(name: string, lua: string): Script {
  return { name, lua, sha: createHash('sha1').update(lua).digest('hex') };
}

/**
 * A client of one Redis: a connection for commands, another for subscriptions, and a circuit breaker. Every call ends
 * within its timeout. While Redis is away, calls fail at once with `unavailable`. Only calls before the first
 * connection wait for it ({@link RedisClient.connecting}).
 */
export interface RedisClient {
  /**
   * False while the connection is down, the breaker is open, or Redis accepts no writes: its memory is full, it cannot
   * save, it has too few replicas, or it is a replica. Calls then fail without being sent.
   */
  readonly available: boolean;
  onAvailability(listener: (available: boolean) => void): () => void;
  /**
   * True until the first connection, for at most `connectTimeoutMs`. Up to 1,000 calls wait for it; others fail with
   * `unavailable`.
   */
  readonly connecting: boolean;
  /** Resolves with true once Redis is available, or with false after `connectTimeoutMs` or a close. Never rejects. */
  ready(): Promise<boolean>;
  /**
   * Commands that block (BLPOP, XREAD with BLOCK, WAIT) or change the connection (SUBSCRIBE, MULTI, SELECT) are
   * `unsupported`, because all calls share one connection.
   * @throws {RedisClientError} `unavailable`, `timeout`, `rejected`, `unsupported`, `closed`
   */
  send(command: RedisCommand): Promise<RedisReply>;
  /** Runs a script by EVALSHA. An unknown script costs one more round trip. Rejects like `send`. */
  run(call: ScriptCall): Promise<RedisReply>;
  /**
   * Sends all calls in order, in one round trip (per node on Cluster). Each result is a reply or the {@link
   * RedisClientError} of its call. Unknown scripts run in a second round trip, after the other calls. Rejects only if
   * nothing was sent.
   */
  pipeline(calls: readonly (RedisCommand | ScriptCall)[]): Promise<RedisReply[]>;
  /** Uses a separate connection. */
  readonly subscriber: RedisSubscriber;
  /** The state that the client knows, without a round trip. */
  readonly state: RedisClientState;
  /** Reads the server's state (PING and INFO). Never rejects. */
  health(): Promise<RedisHealth>;
  /** Ends both connections, except borrowed ones. Later calls reject with `closed`. Idempotent. */
  close(): Promise<void>;
}

export interface RedisClientState {
  readonly breaker: RedisHealth['breaker'];
  /** Null when the server accepts writes or its state is unknown. */
  readonly refusal: WriteRefusal | null;
  /** Connections after the first. */
  readonly reconnects: { readonly commands: number; readonly subscriber: number };
}

export interface RedisClientDeps {
  readonly logger?: Logger;
  /** Called after each round trip, for metrics. Not called for a call that was not sent. */
  readonly onRoundTrip?: (trip: RoundTrip) => void;
  /**
   * Called with the certificate of each new TLS connection that this client opens, for metrics. Not called for an
   * invalid certificate that `rejectUnauthorized: false` accepts.
   */
  readonly onCertificate?: (certificate: ServerCertificate) => void;
}

/**
 * Reconnects until closed. Does not wait for the connection.
 * @throws {RedisClientError} `invalid_options`
 */
export function createRedisClient(
  options: RedisClientOptions,
  { logger = silentLogger, onRoundTrip, onCertificate }: RedisClientDeps = {},
): RedisClient {
  const settings = resolveSettings(options);
  const { mode, transport, openSubscriber } = openTransports(
    options,
    settings,
    {
      onReady: () => availability.onReady(),
      onDown: () => availability.onDown(),
      onError: (error) => availability.onError(error),
    },
    onCertificate,
  );
  const availability = createAvailability(transport, settings, logger, onRoundTrip);
  const subscriber = createSubscriber(openSubscriber, settings, logger);

  return {
    get available() {
      return availability.now;
    },
    onAvailability: availability.onChange,
    get connecting() {
      return availability.connecting;
    },
    ready: () => availability.ready(),
    async send(command) {
      const unsupported = unsupportedOf(command);
      if (unsupported) throw unsupported;
      return availability.run(() => transport.call(command));
    },
    run: (call) => availability.run(() => runScript(transport, call)),
    async pipeline(calls) {
      if (calls.length === 0 && !availability.isClosed) return [];
      const refusals = calls.map((call) => (isScriptCall(call) ? null : unsupportedOf(call)));
      const supported = calls.filter((_call, place) => !refusals[place]);
      const replies = await availability.run(() => runPipeline(transport, supported));
      const answered = replies.map((reply) => {
        if (!(reply instanceof RedisClientError)) return reply;
        availability.noteError(reply);
        return availability.isClosed && isOutage(reply) ? closedError() : reply;
      });
      return refusals.map((refusal) => refusal ?? answered.shift());
    },
    subscriber,
    get state() {
      const { breaker, refusal } = availability.health;
      const reconnects = {
        commands: transport.reconnects,
        subscriber: subscriber.health.reconnects,
      };
      return { breaker, refusal: refusal?.kind ?? null, reconnects };
    },
    health: () => readHealth(mode, transport, availability, subscriber),
    async close() {
      if (availability.isClosed) return;
      availability.close();
      await Promise.all([transport.close(), subscriber.close()]);
    },
  };
}

function isScriptCall(call: RedisCommand | ScriptCall): call is ScriptCall {
  return !Array.isArray(call);
}

function toCommand(by: 'evalsha' | 'eval', { script, keys, args }: ScriptCall): RedisCommand {
  const text = by === 'eval' ? script.lua : script.sha;
  return [by, text, keys.length, ...keys, ...args];
}

function isUnknownScript(reply: unknown): boolean {
  return reply instanceof Error && reply.message.startsWith('NOSCRIPT');
}

/** A call with an unknown script was not executed, so it is sent again with the source. */
async function runPipeline(
  transport: CommandTransport,
  calls: readonly (RedisCommand | ScriptCall)[],
): Promise<RedisReply[]> {
  const replies = await transport.batch(
    calls.map((call) => (isScriptCall(call) ? toCommand('evalsha', call) : call)),
  );
  const unknown: { readonly place: number; readonly command: RedisCommand }[] = [];
  calls.forEach((call, place) => {
    if (isScriptCall(call) && isUnknownScript(replies[place])) {
      unknown.push({ place, command: toCommand('eval', call) });
    }
  });
  if (unknown.length > 0) {
    const second = await transport.batch(unknown.map(({ command }) => command));
    unknown.forEach(({ place }, index) => (replies[place] = second[index]));
  }
  return replies.map((reply) => (reply instanceof Error ? toClientError(reply) : reply));
}

async function runScript(transport: CommandTransport, call: ScriptCall): Promise<RedisReply> {
  try {
    return await transport.call(toCommand('evalsha', call));
  } catch (error) {
    if (!isUnknownScript(error)) throw error;
    return transport.call(toCommand('eval', call));
  }
}

const blocking = new Set(
  'BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN WAIT WAITAOF'.split(' '),
);
const stateful = new Set(
  (
    'ASKING AUTH DISCARD EXEC HELLO MONITOR MULTI PSUBSCRIBE PSYNC PUNSUBSCRIBE QUIT READONLY READWRITE RESET SELECT ' +
    'SSUBSCRIBE SUBSCRIBE SUNSUBSCRIBE SYNC UNSUBSCRIBE UNWATCH WATCH'
  ).split(' '),
);
const statefulSubcommands = new Set(['CLIENT REPLY', 'CLIENT TRACKING', 'SCRIPT DEBUG']);

function unsupportedOf([name, ...args]: RedisCommand): RedisClientError | null {
  const upper = name.toUpperCase();
  const isRead = upper === 'XREAD' || upper === 'XREADGROUP';
  if (blocking.has(upper) || (isRead && hasBlock(args))) {
    return unsupported(
      `${upper}${isRead ? ' with BLOCK' : ''}`,
      'every other call would wait for it',
    );
  }
  const long = `${upper} ${String(args[0]).toUpperCase()}`;
  if (stateful.has(upper))
    return unsupported(upper, 'it changes the connection for every other call');
  if (statefulSubcommands.has(long))
    return unsupported(long, 'it changes the connection for every other call');
  return null;
}

function hasBlock(args: readonly (string | number)[]): boolean {
  const words = args.map((arg) => String(arg).toUpperCase());
  const streams = words.indexOf('STREAMS');
  // A group may be named "block", but only the option is followed by a number.
  return words
    .slice(0, streams < 0 ? undefined : streams)
    .some((word, index, all) => word === 'BLOCK' && /^\d+$/.test(all[index + 1] ?? ''));
}

function unsupported(command: string, why: string): RedisClientError {
  return new RedisClientError(
    'unsupported',
    `${command} is not supported on the shared connection: ${why}. Use a connection of its own`,
  );
}
