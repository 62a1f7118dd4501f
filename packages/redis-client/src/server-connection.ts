import { type Cluster, Redis } from 'ioredis';
import { untilAnswered, within } from './heartbeat.ts';
import type { IoredisOptions } from './ioredis-options.ts';
import type {
  CommandTransport,
  ConnectionEvents,
  OnMessage,
  RedisCommand,
  SubscriberTransport,
} from './transport.ts';

const silenceMs = 250;
const endMs = 1000;
/** ioredis may end a connection. This is the pause before the client opens it again. */
const restartMs = 100;

export interface ServerConnection extends CommandTransport {
  readonly redis: Redis;
  /** Makes a call, with a {@link CallBound} if the connection is borrowed. */
  readonly run: <T>(work: () => Promise<T>) => Promise<T>;
}

export type CallBound = ReturnType<typeof createCallBound>;

export type ServerSource = IoredisOptions | { readonly redis: Redis; readonly bound: CallBound };

/** Returns before the connection is up. */
export function openServerConnection(
  source: ServerSource,
  events: ConnectionEvents,
): ServerConnection {
  const borrowed = 'bound' in source ? source : null;
  const options: IoredisOptions = 'bound' in source ? {} : source;
  const redis = borrowed?.redis ?? new Redis(options);
  let established = 0;
  let up = false;
  let isClosed = false;
  /** True from when this client destroys the socket until a new connection is up. */
  let isDropped = false;
  let restartTimer: NodeJS.Timeout | undefined;

  const isReady = () => up && !isClosed && redis.status === 'ready';
  const drop = () => {
    isDropped = true;
    destroySocket(redis);
  };
  const listeners = {
    error(error: Error) {
      if (!borrowed) skipUnknownInfo(redis, error);
      events.onError(error);
    },
    ready() {
      isDropped = false;
      // Events arrive one tick late, so the connection may already be lost again.
      if (up || isClosed || redis.status !== 'ready') return;
      established += 1;
      up = true;
      events.onReady();
    },
    close() {
      if (!up) return;
      up = false;
      events.onDown();
    },
    end() {
      // If a failover is announced while ioredis asks the sentinels, ioredis ends the connection, although its options
      // say to retry. A caller's options may also end a dropped connection.
      if (isClosed || !(options.sentinels || (borrowed && isDropped))) return;
      restartTimer = setTimeout(() => void redis.connect().catch(() => undefined), restartMs);
    },
  };
  for (const [name, listener] of Object.entries(listeners)) redis.on(name as 'error', listener);
  let endHandshakeLimit = () => {};
  if (borrowed) {
    if (redis.status === 'wait') redis.connect().catch(() => undefined);
    endHandshakeLimit = limitHandshake(redis, borrowed.bound.timeoutMs, () => (isDropped = true));
    queueMicrotask(() => listeners.ready());
  }

  const run = <T>(work: () => Promise<T>) =>
    borrowed ? borrowed.bound.run(isReady(), work) : work();
  const joinWrites = createJoinedWrites(redis);
  const call: ServerConnection['call'] = (command) =>
    run(() => {
      joinWrites();
      return redis.call(...toWire(command));
    });

  return {
    redis,
    run,
    get ready() {
      return isReady();
    },
    get reconnects() {
      return Math.max(0, established - 1);
    },
    call,
    async batch(commands) {
      // Does not use a pipeline of ioredis. ioredis defines an accessor on each pipeline, which keeps the pipeline's
      // objects alive through minor garbage collections.
      const calls = inOneWrite(redis, () => commands.map(call));
      return (await Promise.allSettled(calls)).map((outcome) =>
        outcome.status === 'fulfilled' ? outcome.value : (outcome.reason as Error),
      );
    },
    callEach: async (command) => [await call(command)],
    drop,
    async close() {
      isClosed = true;
      clearTimeout(restartTimer);
      endHandshakeLimit();
      if (borrowed) {
        for (const [name, listener] of Object.entries(listeners)) redis.off(name, listener);
        return borrowed.bound.close();
      }
      redis.disconnect();
      destroySocket(redis);
      await untilEnded(redis);
    },
  };
}

/** Subscribes at one server, or at the master that the sentinels name. */
export function openServerSubscriber(
  source: ServerSource,
  events: ConnectionEvents,
  onMessage: OnMessage,
): SubscriberTransport {
  const connection = openServerConnection(source, events);
  const { redis, run } = connection;
  const listeners = {
    message: (topic: string, message: string) => onMessage('topic', topic, topic, message),
    pmessage: (pattern: string, topic: string, message: string) =>
      onMessage('pattern', pattern, topic, message),
  };
  for (const [name, listener] of Object.entries(listeners)) redis.on(name as 'message', listener);
  /** The names to unsubscribe at the close if the connection is borrowed. */
  const subscribed = { topic: new Set<string>(), pattern: new Set<string>() };

  const unsubscribe: SubscriberTransport['unsubscribe'] = (kind, names) => {
    for (const name of names) subscribed[kind].delete(name);
    return run(() =>
      kind === 'topic' ? redis.unsubscribe(...names) : redis.punsubscribe(...names),
    );
  };

  return {
    get ready() {
      return connection.ready;
    },
    get reconnects() {
      return connection.reconnects;
    },
    supportsPatterns: true,
    subscribe(kind, names) {
      for (const name of names) subscribed[kind].add(name);
      return run(() => (kind === 'topic' ? redis.subscribe(...names) : redis.psubscribe(...names)));
    },
    unsubscribe,
    ping: () => run(() => redis.ping()),
    drop: connection.drop,
    dropAll: connection.drop,
    async close() {
      for (const [name, listener] of Object.entries(listeners)) redis.off(name, listener);
      if ('bound' in source) {
        const kinds = (['topic', 'pattern'] as const).filter((kind) => subscribed[kind].size > 0);
        await Promise.allSettled(kinds.map((kind) => unsubscribe(kind, [...subscribed[kind]])));
      }
      await connection.close();
    },
  };
}

/** Bounds the calls of a borrowed connection, because its own options could let a call wait forever. */
export function createCallBound(timeoutMs: number) {
  const rejects = new Set<(error: Error) => void>();
  return {
    timeoutMs,
    /**
     * Rejects at the timeout and at the close. Also rejects if `isReady` is false, because the connection's own offline
     * queue would take the call.
     */
    run<T>(isReady: boolean, work: () => Promise<T>): Promise<T> {
      if (!isReady) return Promise.reject(new Error('the connection is not ready'));
      return new Promise((resolve, reject) => {
        rejects.add(reject);
        within(work(), timeoutMs, () => new Error('Command timed out'))
          .then(resolve, reject)
          .finally(() => rejects.delete(reject));
      });
    },
    close() {
      for (const reject of rejects) reject(new Error('Connection is closed.'));
    },
  };
}

/**
 * ioredis may wait for a handshake without limit. So the socket of a borrowed connection is destroyed if it is not
 * ready `timeoutMs` after it connected. The returned function removes this limit.
 */
export function limitHandshake(
  redis: Redis,
  timeoutMs: number,
  onDrop: () => void = () => undefined,
): () => void {
  let timer: NodeJS.Timeout | undefined;
  const end = () => clearTimeout(timer);
  const begin = () => {
    end();
    timer = setTimeout(() => {
      onDrop();
      destroySocket(redis);
    }, timeoutMs);
  };
  redis.on('connect', begin).on('ready', end).on('close', end);
  if (redis.status === 'connect') begin();
  return () => {
    end();
    redis.off('connect', begin).off('ready', end).off('close', end);
  };
}

/**
 * ioredis sends INFO on a new connection, but some servers do not have it (`rename-command`). After this error, the
 * next attempt connects without INFO.
 * @returns true if the error says that there is no INFO
 */
export function skipUnknownInfo({ options }: Redis, error: Error): boolean {
  if (!/^ERR unknown command\W+info\b/i.test(error.message)) return false;
  options.enableReadyCheck = false;
  return true;
}

/** Sends names in capitals, because ioredis transforms the replies of some names in lower case, such as `hgetall`. */
export function toWire([name, ...args]: RedisCommand): readonly [string, ...(string | number)[]] {
  return [name.toUpperCase(), ...args];
}

function inOneWrite<T>(redis: Redis, work: () => T): T {
  const socket = redis.stream as Redis['stream'] | undefined;
  socket?.cork();
  try {
    return work();
  } finally {
    socket?.uncork();
  }
}

/** Closes the connection without a handshake, which a frozen server would not answer. Then ioredis reconnects. */
export function destroySocket(redis: Redis): void {
  // Before the first attempt there is no stream, although the type says that there is one.
  (redis.stream as Redis['stream'] | undefined)?.destroy();
}

export function dropIfSilent(redis: Redis): void {
  if (redis.status !== 'ready') return;
  within(untilAnswered(redis.ping()), silenceMs, () => new Error('silent')).catch(() =>
    destroySocket(redis),
  );
}

/** The wait is bounded, because ioredis does not always report the end. */
export async function untilEnded(connection: Redis | Cluster): Promise<void> {
  if (connection.status === 'end' || connection.status === 'reconnecting') return;
  const ended = new Promise<void>((resolve) => void connection.once('end', resolve));
  await within(ended, endMs, () => new Error('no end')).catch(() => undefined);
}

/** The most commands of one write. With more of them, Redis would wait while this process encodes the rest. */
const maxJoined = 8;

/**
 * Joins the commands of one turn into writes of at most eight, because a system call costs more than most commands.
 * Call the returned function before each command.
 */
export function createJoinedWrites(redis: Redis): () => void {
  let corked: Redis['stream'] | undefined;
  let joined = 0;
  return () => {
    if (!corked) {
      const socket = redis.stream as Redis['stream'] | undefined;
      if (!socket) return;
      corked = socket;
      joined = 0;
      socket.cork();
      process.nextTick(() => {
        corked = undefined;
        socket.uncork();
      });
    }
    if (joined === maxJoined) {
      joined = 0;
      corked.uncork();
      corked.cork();
    }
    joined += 1;
  };
}
