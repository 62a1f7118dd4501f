import { describe, expect, it } from '@jest/globals';
import { createPeerCertificates } from './peer-certificates.ts';

describe('the certificates of the servers', () => {
  it('are those of the newest connections, the earliest of a peer first', () => {
    const certificates = createPeerCertificates();
    expect(certificates.earliestSeconds('redis')).toBe(0);
    certificates.seen('redis', 'one', 5_000);
    certificates.seen('redis', 'two', 9_000);
    certificates.seen('postgres', '', 1_000);
    expect(certificates.earliestSeconds('redis')).toBe(5);
    certificates.seen('redis', 'one', 20_000);
    expect(certificates.earliestSeconds('redis')).toBe(9);
  });

  it('are remembered for a bounded number of hosts, the latest ones', () => {
    const certificates = createPeerCertificates();
    certificates.seen('redis', 'gone', 1_000);
    for (let node = 0; node < 63; node++) certificates.seen('redis', `node-${node}`, 5_000);
    expect(certificates.earliestSeconds('redis')).toBe(1);
    certificates.seen('redis', 'node-63', 5_000);
    expect(certificates.earliestSeconds('redis')).toBe(5);
  });
});
