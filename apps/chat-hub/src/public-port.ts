import { setTimeout as delay } from 'node:timers/promises';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Config } from './config.ts';

export interface PublicPort {
  /**
   * Waits for `work`. If this takes longer than `momentMs`, a temporary server answers probes on the port until
   * {@link release}. Rejects when the port is not available.
   */
  during<T>(work: Promise<T>): Promise<T>;
  /** Stops listening. Resolves with the port for the hub. */
  release(): Promise<number>;
}

/** A database that answers is opened within this time. No temporary server is started then. */
const momentMs = 1_000;

export function createPublicPort(
  { host, port }: Pick<Config, 'host' | 'port'>,
  createApp: () => FastifyInstance,
): PublicPort {
  let app: FastifyInstance | null = null;
  let chosen = port;
  return {
    async during(work) {
      const moment = new AbortController();
      const isSlow = await Promise.race([
        work.then(
          () => false,
          () => false,
        ),
        delay(momentMs, true, { signal: moment.signal }),
      ]);
      moment.abort();
      if (isSlow) {
        app = createApp();
        await app.listen({ host, port });
        chosen = (app.server.address() as AddressInfo).port;
      }
      return work;
    },
    async release() {
      await app?.close();
      app = null;
      return chosen;
    },
  };
}
