import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  freePort,
  startProcess,
  temporaryFolder,
  waitFor,
  type ServerProcess,
} from '@openclaw/test-support';
import { clientsOfTest } from './testing/clients.ts';

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

const clients = clientsOfTest();
let folder: { path: string; remove(): Promise<void> };
let server: ServerProcess;
let port: number;
let ca: string;

(hasOpenssl() ? describe : describe.skip)(
  'Redis over TLS (needs openssl to make a certificate)',
  () => {
    beforeAll(async () => {
      folder = await temporaryFolder('tls');
      const [key, cert] = [join(folder.path, 'key.pem'), join(folder.path, 'cert.pem')];
      execFileSync(
        'openssl',
        [
          'req',
          '-x509',
          '-newkey',
          'ec',
          '-pkeyopt',
          'ec_paramgen_curve:prime256v1',
          '-nodes',
          '-days',
          '2',
          '-subj',
          '/CN=localhost',
          '-addext',
          'subjectAltName=DNS:localhost,IP:127.0.0.1',
          '-keyout',
          key,
          '-out',
          cert,
        ],
        { stdio: 'pipe' },
      );
      ca = readFileSync(cert, 'utf8');
      port = await freePort();
      server = startProcess('redis-server', [
        '--port',
        '0',
        '--tls-port',
        String(port),
        '--bind',
        '127.0.0.1',
        '--dir',
        folder.path,
        '--save',
        '',
        '--tls-cert-file',
        cert,
        '--tls-key-file',
        key,
        '--tls-ca-cert-file',
        cert,
        '--tls-auth-clients',
        'no',
      ]);
      await waitFor(() => server.output().includes('Ready to accept connections'));
    });
    afterAll(async () => {
      await server.stop('SIGKILL');
      await folder.remove();
    });

    it('works with a certificate that it trusts, by URL and by options', async () => {
      const byUrl = await clients.connect({ url: `rediss://127.0.0.1:${port}`, tls: { ca } });
      expect(await byUrl.send(['PING'])).toBe('PONG');
      const byOptions = await clients.connect({ host: 'localhost', port, tls: { ca } });
      expect(await byOptions.send(['PING'])).toBe('PONG');
    });

    it('is unavailable when the certificate is not trusted', async () => {
      const redis = clients.open({ url: `rediss://127.0.0.1:${port}` });
      await waitFor(async () => (await redis.health()).breaker !== 'closed');
      const error = await redis.send(['PING']).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: 'unavailable',
        message: expect.stringContaining('self-signed certificate'),
      });
    });
  },
);
