import { answered } from './answered.ts';
import {
  isOutage,
  RedisClientError,
  toClientError,
  writeRefusalOf,
  type WriteRefusal,
} from './errors.ts';
import { within } from './heartbeat.ts';
import type { ClientSettings } from './options.ts';
import type { CommandTransport } from './transport.ts';

/** One beat of the command connection: is there a server that answers and takes writes? */
export interface Probe {
  /** Rejects with an outage when no master answers. {@link Probe.takesWrites} says whether writes are taken. */
  readonly beat: () => Promise<void>;
  /** The connection was lost: whether the next one takes writes is not known. */
  readonly lost: () => void;
  /** Takes the error of a call; true when it says that the server takes no writes, which is news for the probe. */
  noticeError(error: unknown): boolean;
  /** A write would be taken, as far as the last beat and all calls since then say. */
  readonly takesWrites: boolean;
  /** Why not, in Redis' own words; null when writes are taken, or nothing is known. */
  readonly refusal: { readonly kind: WriteRefusal; readonly message: string } | null;
}

/**
 * A script that may write, which is all that a server looks at before it refuses one for lack of memory, disk or
 * replicas. It touches no key, so it needs no name, and every master of a Cluster can be asked.
 */
const writeProbe = ['eval', '#!lua\nreturn 1', 0] as const;

/**
 * A beat is a PING and a script that Redis would refuse if it refused writes. Where scripts are denied, the role is asked
 * after a READONLY, because a demoted master still answers PING. A server that refused a write is trusted again after
 * `breakerFailures` good beats in a row; otherwise, at the edge of its memory, it would come and go with each call.
 */
export function createProbe(
  transport: CommandTransport,
  { heartbeatTimeoutMs, breakerFailures }: ClientSettings,
): Probe {
  let refusal: Probe['refusal'] = null;
  let isKnown = false;
  /** False where the script cannot be run at all: then only calls say what is refused, each for itself. */
  let canAsk = false;
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

  async function askForWrites(): Promise<void> {
    const error = await transport
      .callEach(writeProbe)
      .then(() => null)
      .catch(toClientError);
    const kind = writeRefusalOf(error);
    // Not answered: that is for the PING to say.
    if (kind === null && isOutage(error)) return;
    canAsk = error === null || kind !== null;
    isKnown = true;
    if (error && kind) return refused(error, kind);
    goodBeats += 1;
    // A demoted master does not come and go: the first answer of a master decides.
    if (refusal?.kind === 'READONLY' ? canAsk : goodBeats >= breakerFailures) refusal = null;
  }

  return {
    async beat() {
      if (!transport.ready) throw new RedisClientError('unavailable', 'Redis is not connected');
      try {
        const ping = answered(transport.callEach(['ping']));
        await within(Promise.all([ping, askForWrites()]), heartbeatTimeoutMs, silent);
        if (refusal?.kind !== 'READONLY') return;
        if (canAsk) throw new RedisClientError('unavailable', refusal.message);
        await within(checkRole(), heartbeatTimeoutMs, silent);
        refusal = null;
      } catch (error) {
        throw toClientError(error);
      }
    },
    lost() {
      isKnown = false;
    },
    noticeError(error) {
      const kind = writeRefusalOf(error);
      if (kind === null || !(kind === 'READONLY' || canAsk)) return false;
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
