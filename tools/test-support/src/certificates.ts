import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './processes.ts';

export interface CertificateFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
}

export function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

/** The certificate is self-signed, for localhost and 127.0.0.1. Needs openssl. */
export function createCertificate(folder: string): CertificateFiles {
  const keyFile = join(folder, 'key.pem');
  const certificateFile = join(folder, 'cert.pem');
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1';
  const subject = ['-subj', '/CN=localhost', '-addext', names];
  const output = ['-nodes', '-days', '2', '-keyout', keyFile, '-out', certificateFile];
  execFileSync('openssl', [...request, ...subject, ...output], { stdio: 'pipe' });
  return { keyFile, certificateFile };
}

export interface CertificateAuthority extends AsyncDisposable {
  readonly caFile: string;
  /** Names are, for example, `DNS:localhost` and `IP:127.0.0.1`. */
  issue(name: string, ...subjectAltNames: readonly string[]): CertificateFiles;
  /** Works as `issue`, but the certificate is valid for `days` instead of two days. */
  issueFor(days: number, name: string, ...subjectAltNames: readonly string[]): CertificateFiles;
  remove(): Promise<void>;
}

export async function createCertificateAuthority(): Promise<CertificateAuthority> {
  const folder = await temporaryFolder('ca');
  const path = (name: string) => join(folder.path, name);
  const openssl = (...args: readonly string[]) =>
    execFileSync('openssl', args, { stdio: 'pipe', cwd: folder.path });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(
    ...['req', '-x509', ...newKey, '-days', '2', '-subj', '/CN=test-ca'],
    ...['-keyout', 'ca.key', '-out', 'ca.pem'],
  );
  const issueFor: CertificateAuthority['issueFor'] = (days, name, ...subjectAltNames) => {
    const subject = ['-subj', `/CN=${name}`];
    openssl('req', ...newKey, ...subject, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    // One certificate serves for servers and clients.
    const extensions = ['extendedKeyUsage=serverAuth,clientAuth'];
    if (subjectAltNames.length > 0) extensions.push(`subjectAltName=${subjectAltNames.join()}`);
    writeFileSync(path(`${name}.ext`), extensions.join('\n'));
    openssl(
      ...['x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key'],
      ...[
        '-CAcreateserial',
        '-days',
        String(days),
        '-extfile',
        `${name}.ext`,
        '-out',
        `${name}.pem`,
      ],
    );
    return { certificateFile: path(`${name}.pem`), keyFile: path(`${name}.key`) };
  };
  return {
    caFile: path('ca.pem'),
    issue: (name, ...subjectAltNames) => issueFor(2, name, ...subjectAltNames),
    issueFor,
    remove: () => folder.remove(),
    [Symbol.asyncDispose]: () => folder.remove(),
  };
}
