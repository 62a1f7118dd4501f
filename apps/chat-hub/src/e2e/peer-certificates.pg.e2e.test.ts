import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  createCertificateAuthority,
  freePort,
  hasOpenssl,
  hubMetric,
  serveOverTls,
  startHub,
  startPostgres,
  startRedis,
  waitFor,
  type CertificateFiles,
} from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';

const withOpenssl = hasOpenssl() ? describe : describe.skip;
const metric = (peer: string) => `hub_certificate_expiry_timestamp_seconds{peer="${peer}"}`;
const endOf = ({ certificateFile }: CertificateFiles) =>
  Date.parse(new X509Certificate(readFileSync(certificateFile)).validTo) / 1_000;

withOpenssl('the end of the certificates of Redis and PostgreSQL (needs openssl)', () => {
  it('is a metric, that of the newest connection, and 0 without TLS', async () => {
    const authority = closeAfterAll(await createCertificateAuthority());
    const names = ['DNS:localhost', 'IP:127.0.0.1'];
    const ofRedis = authority.issueFor(20, 'redis', ...names);
    const ofPostgres = authority.issueFor(30, 'postgres', ...names);
    const renewed = authority.issueFor(90, 'renewed', ...names);
    const tlsPort = await freePort();
    const redis = closeAfterAll(
      await startRedis({
        args: [
          ...['--tls-port', String(tlsPort), '--tls-auth-clients', 'no'],
          ...['--tls-cert-file', ofRedis.certificateFile, '--tls-key-file', ofRedis.keyFile],
          ...['--tls-ca-cert-file', authority.caFile],
        ],
      }),
    );
    const postgres = closeAfterAll(await startPostgres());
    serveOverTls(postgres, ofPostgres);
    const hub = closeAfterAll(
      await startHub({
        env: {
          HUB_DB_URL: `${postgres.url}?sslmode=verify-full&sslrootcert=${authority.caFile}`,
          REDIS_URL: `rediss://127.0.0.1:${tlsPort}`,
          CHAT_REDIS_TLS_CA_FILE: authority.caFile,
        },
      }),
    );
    const ends = () =>
      Promise.all(['redis', 'postgres'].map((peer) => hubMetric(hub, metric(peer))));
    await waitFor(async () => (await ends())[0] === endOf(ofRedis), { what: 'the end for Redis' });
    expect(await ends()).toEqual([endOf(ofRedis), endOf(ofPostgres)]);

    await redis.command(
      `CONFIG SET tls-cert-file ${renewed.certificateFile} tls-key-file ${renewed.keyFile}`,
    );
    await redis.command('CLIENT KILL TYPE normal SKIPME yes');
    await redis.command('CLIENT KILL TYPE pubsub');
    await waitFor(async () => (await ends())[0] === endOf(renewed), {
      what: 'the end of the renewed certificate',
    });

    const plain = closeAfterAll(await startHub({ env: { REDIS_URL: redis.url } }));
    for (const peer of ['redis', 'postgres']) expect(await hubMetric(plain, metric(peer))).toBe(0);
  });
});
