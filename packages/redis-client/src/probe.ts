import {
  isOutage,
  RedisClientError,
  toClientError,
  writeRefusalOf,
  type WriteRefusal,
} from './errors.ts';
import { untilAnswered, within } from './heartbeat.ts';
import type { ClientSettings } from './options.ts';
import type { CommandTransport } from './transport.ts';

/** The heartbeat of the command connection. It finds out if a server answers and takes writes. */
export interface Probe {
  /** Rejects with an outage when no master answers. Updates {@link Probe.takesWrites}. */
  readonly beat: () => Promise<void>;
  /** The connection was lost. It is unknown if the next one takes writes. */
  readonly connectionLost: () => void;
  /** Reads the error of a call. True when it shows that the server takes no writes. */
  noticeError(error: unknown): boolean;
  /** True when the last beat and all calls since then found that writes are taken. */
  readonly takesWrites: boolean;
  /** The error by which Redis refused writes; null when it takes them or nothing is known. */
  readonly refusal: { readonly kind: WriteRefusal; readonly message: string } | null;
}

/**
 * A script that is declared to write. This is enough for a server to refuse it for lack of memory, disk or replicas. It
 * touches no key, so it runs on every master of a Cluster.
 */
const writeProbe = ['eval', '#!lua\nreturn 1', 0] as const;

/**
 * A beat is a PING and a script that Redis refuses when it refuses writes. If an ACL denies scripts, the beat reads the
 * role after a READONLY, because a demoted master still answers PING. After a refused write, the server is used again
 * after `breakerFailures` good beats in a row. Otherwise a server at its memory limit would change with each call.
 */
export function createProbe(
  transport: CommandTransport,
  { heartbeatTimeoutMs, breakerFailures }: ClientSettings,
): Probe {
  let refusal: Probe['refusal'] = null;
  let isKnown = false;
  /** False where an ACL denies the script. A refused write then concerns only its own call. */
  let canProbe = false;
  let goodBeats = 0;
  const silent = () =>
    new RedisClientError('timeout', `Redis did not answer a PING within ${heartbeatTimeoutMs} ms`);

  async function checkRole(): Promise<void> {
    const answers = await transport.callEach(['info', 'replication']).catch(() => []);
    if (answers.some((info) => /^role:slave/m.test(String(info)))) {
      throw new RedisClientError('unavailable', 'READONLY: this server is a replica');
    }
  }

  function refused(error: RedisClientError, kind: WriteRefusal): void {
    goodBeats = 0;
    refusal = { kind, message: error.message };
  }

  async function probeWrites(): Promise<void> {
    const error = await transport
      .callEach(writeProbe)
      .then(() => null)
      .catch(toClientError);
    const kind = writeRefusalOf(error);
    // The PING reports a server that does not answer.
    if (kind === null && isOutage(error)) return;
    canProbe = error === null || kind !== null;
    isKnown = true;
    if (error && kind) return refused(error, kind);
    goodBeats += 1;
    // A demoted master does not change with each call, so one good beat is enough.
    if (refusal?.kind === 'READONLY' ? canProbe : goodBeats >= breakerFailures) refusal = null;
  }

  return {
    async beat() {
      if (!transport.ready) throw new RedisClientError('unavailable', 'Redis is not connected');
      try {
        const ping = untilAnswered(transport.callEach(['ping']));
        await within(Promise.all([ping, probeWrites()]), heartbeatTimeoutMs, silent);
        if (refusal?.kind !== 'READONLY') return;
        if (canProbe) throw new RedisClientError('unavailable', refusal.message);
        await within(checkRole(), heartbeatTimeoutMs, silent);
        refusal = null;
      } catch (error) {
        throw toClientError(error);
      }
    },
    connectionLost() {
      isKnown = false;
    },
    noticeError(error) {
      const kind = writeRefusalOf(error);
      if (kind === null || !(kind === 'READONLY' || canProbe)) return false;
      refused(error as RedisClientError, kind);
      return true;
    },
    get takesWrites() {
      return isKnown && refusal === null;
    },
    get refusal() {
      return refusal;
    },
  };
}
