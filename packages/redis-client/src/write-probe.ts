import {
  isOutage,
  RedisClientError,
  toClientError,
  type WriteRefusal,
  writeRefusalOf,
} from './errors.ts';
import { within } from './heartbeat.ts';
import type { ClientSettings } from './options.ts';
import type { CommandTransport } from './transport.ts';

/**
 * A script with the line `#!lua` counts as a write, so a server that refuses writes refuses this script. The script
 * touches no key, so it runs on every master.
 */
const writeProbe = ['eval', '#!lua\nreturn 1', 0] as const;

/**
 * Each heartbeat runs a script that Redis refuses while it refuses writes. After a refused write, the server is used
 * again only after `breakerFailures` good heartbeats with no refusal between them, because otherwise availability would
 * flap at the memory limit. One is enough if the refusal was READONLY, which comes from a demoted master. If an ACL
 * denies the script, only a READONLY answer to a command counts as a refusal. Heartbeats then read the server's role
 * too, until it is a master.
 */
export function createWriteProbe(
  transport: CommandTransport,
  { heartbeatTimeoutMs, breakerFailures }: ClientSettings,
) {
  let refusal: { readonly kind: WriteRefusal; readonly message: string } | null = null;
  let isKnown = false;
  /** False when an ACL denies the script. Of all refusals, only READONLY then makes Redis unavailable. */
  let canProbe = false;
  let goodBeats = 0;
  const silent = () =>
    new RedisClientError('timeout', `Redis did not answer a ping within ${heartbeatTimeoutMs} ms`);

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
    if (kind === null && isOutage(error)) throw error;
    canProbe = error === null || kind !== null;
    isKnown = true;
    if (error && kind) return refused(error, kind);
    goodBeats += 1;
    // A demoted master refuses all writes, so one good beat is enough.
    if (refusal?.kind === 'READONLY' ? canProbe : goodBeats >= breakerFailures) refusal = null;
  }

  return {
    get takesWrites() {
      return isKnown && refusal === null;
    },
    get refusal() {
      return refusal;
    },
    /** Rejects with an outage when no master answers. */
    async beat(): Promise<void> {
      if (!transport.ready) throw new RedisClientError('unavailable', 'Redis is not connected');
      try {
        await within(probeWrites(), heartbeatTimeoutMs, silent);
        if (refusal?.kind !== 'READONLY') return;
        if (canProbe) throw new RedisClientError('unavailable', refusal.message);
        await within(checkRole(), heartbeatTimeoutMs, silent);
        refusal = null;
      } catch (error) {
        throw toClientError(error);
      }
    },
    /** The next connection may or may not accept writes. */
    connectionLost() {
      isKnown = false;
    },
    /** True when the error shows that the server accepts no writes. */
    noteError(error: RedisClientError): boolean {
      const kind = writeRefusalOf(error);
      if (kind === null || !(kind === 'READONLY' || canProbe)) return false;
      refused(error, kind);
      return true;
    },
  };
}
