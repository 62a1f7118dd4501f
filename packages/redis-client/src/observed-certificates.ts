import { checkServerIdentity } from 'node:tls';
import type { RedisTls, ResolvedConnection } from './options.ts';

export interface ServerCertificate {
  /** The name that the certificate was compared with. */
  readonly host: string;
  /** Epoch milliseconds. */
  readonly expiresAtMs: number;
}

export function observeCertificates(
  connection: ResolvedConnection,
  onCertificate: (certificate: ServerCertificate) => void,
): ResolvedConnection {
  const observed = (tls: RedisTls): RedisTls => ({
    ...tls,
    checkServerIdentity(host, certificate) {
      const check = tls.checkServerIdentity ?? checkServerIdentity;
      const problem = check(host, certificate);
      if (problem === undefined)
        onCertificate({ host, expiresAtMs: Date.parse(certificate.valid_to) });
      return problem;
    },
  });
  const { tls, sentinelTls } = connection;
  return {
    ...connection,
    ...(tls && { tls: observed(tls) }),
    ...(sentinelTls && { sentinelTls: observed(sentinelTls) }),
  };
}
