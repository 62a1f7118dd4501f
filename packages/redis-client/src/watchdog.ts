import { answered } from './answered.ts';
import { startHeartbeat, within } from './heartbeat.ts';
import type { Logger } from './logger.ts';
import type { ClientSettings } from './options.ts';
import type { SubscriberTransport } from './subscriber-transport.ts';

/**
 * Asks an established subscriber connection every `heartbeatMs` whether it lives, and destroys it when
 * `breakerFailures` beats in a row got no answer: a subscriber only listens, so nothing else would find out.
 */
export function startWatchdog(
  transport: SubscriberTransport,
  { heartbeatMs, heartbeatTimeoutMs, breakerFailures }: ClientSettings,
  logger: Logger,
): { stop(): void } {
  let missed = 0;
  return startHeartbeat({
    everyMs: heartbeatMs,
    concurrent: () => breakerFailures,
    async beat() {
      if (!transport.ready) {
        missed = 0;
        return;
      }
      try {
        await within(
          answered(transport.ping()),
          heartbeatTimeoutMs,
          () => new Error('no answer to PING'),
        );
        missed = 0;
      } catch {
        missed += 1;
        if (missed < breakerFailures || !transport.ready) return;
        missed = 0;
        logger.warn({}, 'the Redis subscriber connection is silent; connecting anew');
        transport.drop();
      }
    },
  });
}
