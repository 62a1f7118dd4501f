import { RedisClientError, toClientError } from './errors.ts';
import { within } from './heartbeat.ts';
import type { ClientSettings } from './options.ts';
import type { CommandTransport } from './transport.ts';

/** One beat of the command connection: is there a server that answers and takes writes? */
export interface Probe {
  /** Rejects with an outage when not. */
  readonly beat: () => Promise<void>;
  /** Hears every error of every call; true for one that says that the server is a replica. */
  noticeError(error: unknown): boolean;
  /** A write found a replica, and no beat has found a master since. */
  readonly isDemoted: boolean;
}

/** A beat is a PING; after a READONLY it also asks the role, because a demoted master still answers PING. */
export function createProbe(
  transport: CommandTransport,
  { heartbeatTimeoutMs }: ClientSettings,
): Probe {
  let isDemoted = false;
  const silent = () =>
    new RedisClientError('timeout', `Redis did not answer a PING within ${heartbeatTimeoutMs} ms`);

  async function checkRole(): Promise<void> {
    const answers = await transport.callEach(['info', 'replication']).catch(() => []);
    if (answers.some((info) => /^role:slave/m.test(String(info)))) {
      throw new RedisClientError('unavailable', 'READONLY: this server is a replica');
    }
    isDemoted = false;
  }

  return {
    async beat() {
      if (!transport.ready) throw new RedisClientError('unavailable', 'Redis is not connected');
      try {
        await within(transport.callEach(['ping']), heartbeatTimeoutMs, silent);
        if (isDemoted) await within(checkRole(), heartbeatTimeoutMs, silent);
      } catch (error) {
        throw toClientError(error);
      }
    },
    get isDemoted() {
      return isDemoted;
    },
    noticeError(error) {
      const isReadonly = error instanceof RedisClientError && error.message.startsWith('READONLY');
      if (isReadonly) isDemoted = true;
      return isReadonly;
    },
  };
}
