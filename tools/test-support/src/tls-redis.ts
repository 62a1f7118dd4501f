import { createCertificate } from './certificates.ts';
import { freePort, temporaryFolder } from './processes.ts';
import { startRedis, type RedisServer } from './redis-server.ts';

/** Has a TLS port for the ACL user `hub`, and a plain port for the test. */
export interface TlsRedis extends RedisServer {
  /** `rediss://hub:{password}@127.0.0.1:{port}` */
  readonly tlsUrl: string;
  /** Node gets this file as NODE_EXTRA_CA_CERTS. */
  readonly caFile: string;
  readonly userPassword: string;
}

/** Creates a certificate for 127.0.0.1 by openssl. */
export async function startTlsRedis(): Promise<TlsRedis> {
  const folder = await temporaryFolder('tls');
  const { keyFile, certificateFile: caFile } = createCertificate(folder.path);
  const tlsPort = await freePort();
  const userPassword = 'hub-secret';
  const rights = ['~openclaw:*', 'resetchannels', '&openclaw:*', '+@all', '-@admin', '-@dangerous'];
  const server = await startRedis({
    password: 'admin-secret',
    args: [
      '--tls-port',
      String(tlsPort),
      '--tls-cert-file',
      caFile,
      '--tls-key-file',
      keyFile,
      '--tls-ca-cert-file',
      caFile,
      '--tls-auth-clients',
      'no',
      '--requirepass',
      'admin-secret',
      '--user',
      'hub',
      'on',
      `>${userPassword}`,
      ...rights,
      '+info',
      '+role',
    ],
  });
  async function stop() {
    await server.stop();
    await folder.remove();
  }

  return {
    ...server,
    get pid() {
      return server.pid;
    },
    tlsUrl: `rediss://hub:${userPassword}@127.0.0.1:${tlsPort}`,
    caFile,
    userPassword,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
