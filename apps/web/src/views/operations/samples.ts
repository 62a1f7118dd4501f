import type { Operations } from '@openclaw/protocol';

/** The values of the charts at one time. A value is null while it is unknown. */
export type Sample = ReturnType<typeof sampleOf>;

const samplesMax = 300;

/** Turns counters into rates between two snapshots. There are no rates when the hub was restarted between them. */
export function sampleOf(snapshot: Operations, before: Operations | null) {
  const rate = (name: 'messages' | 'deliveries'): number | null => {
    if (before === null || snapshot.hubId !== before.hubId) return null;
    const seconds = (snapshot.timestamp - before.timestamp) / 1000;
    const more = snapshot.counters[name] - before.counters[name];
    return seconds <= 0 || more < 0 ? null : more / seconds;
  };
  const { ackMs, deliveryMs } = snapshot.latency;
  return {
    atSeconds: snapshot.timestamp / 1000,
    messages: rate('messages'),
    deliveries: rate('deliveries'),
    ackP50: ackMs?.p50 ?? null,
    ackP99: ackMs?.p99 ?? null,
    deliveryP50: deliveryMs?.p50 ?? null,
    deliveryP99: deliveryMs?.p99 ?? null,
    sockets: snapshot.sockets,
  };
}

/** Keeps only the samples of the last five minutes. */
export function withSample(samples: readonly Sample[], sample: Sample): readonly Sample[] {
  return [...samples.slice(-(samplesMax - 1)), sample];
}
