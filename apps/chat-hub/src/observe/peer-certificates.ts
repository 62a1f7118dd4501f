export const certificatePeers = ['redis', 'postgres'] as const;
export type CertificatePeer = (typeof certificatePeers)[number];

/** A usual Redis Cluster has fewer nodes. */
const maxHosts = 64;

export function createPeerCertificates() {
  const latest: Readonly<Record<CertificatePeer, Map<string, number>>> = {
    redis: new Map(),
    postgres: new Map(),
  };
  return {
    seen(peer: CertificatePeer, host: string, expiresAtMs: number): void {
      const hosts = latest[peer];
      hosts.delete(host);
      hosts.set(host, expiresAtMs);
      const [oldest] = hosts.keys();
      if (hosts.size > maxHosts && oldest !== undefined) hosts.delete(oldest);
    },
    /**
     * Returns the earliest expiry in epoch seconds, or 0 without TLS. Only the newest connection to each host counts.
     */
    earliestSeconds(peer: CertificatePeer): number {
      const hosts = latest[peer];
      return hosts.size === 0 ? 0 : Math.min(...hosts.values()) / 1_000;
    },
  };
}

export type PeerCertificates = ReturnType<typeof createPeerCertificates>;
