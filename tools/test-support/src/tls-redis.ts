import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { freePort, temporaryFolder } from './processes.ts';
import { startRedis, type RedisServer } from './redis-server.ts';

/** A real redis-server that hubs reach over TLS alone, as the ACL user `hub`; commands of the test go to a plain port. */
export interface TlsRedis extends RedisServer {
  /** `rediss://hub:{password}@127.0.0.1:{port}` */
  readonly tlsUrl: string;
  /** The certificate to trust, as a file: for NODE_EXTRA_CA_CERTS. */
  readonly caFile: string;
  readonly userPassword: string;
}

/** Whether a certificate can be made here. */
export function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

/** Makes a certificate for 127.0.0.1 and starts the server with it. Needs openssl. */
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
