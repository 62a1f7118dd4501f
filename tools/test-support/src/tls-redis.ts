import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { freePort, temporaryFolder } from './processes.ts';
import { startRedis, type RedisServer } from './redis-server.ts';

/** A redis-server with a TLS port for the ACL user `hub`, and a plain port for the test. */
export interface TlsRedis extends RedisServer {
  /** `rediss://hub:{password}@127.0.0.1:{port}` */
  readonly tlsUrl: string;
  /** The certificate file, for NODE_EXTRA_CA_CERTS. */
  readonly caFile: string;
  readonly userPassword: string;
}

/** True if openssl is installed. */
export function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

/** Creates a certificate for 127.0.0.1 by openssl and starts the server with it. */
export async function startTlsRedis(): Promise<TlsRedis> {
  const folder = await temporaryFolder('tls');
  const keyFile = join(folder.path, 'key.pem');
  const caFile = join(folder.path, 'cert.pem');
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const subject = [
    '-subj',
    '/CN=localhost',
    '-addext',
    'subjectAltName=DNS:localhost,IP:127.0.0.1',
  ];
  const output = ['-nodes', '-days', '2', '-keyout', keyFile, '-out', caFile];
  execFileSync('openssl', [...request, ...subject, ...output], { stdio: 'pipe' });
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
