import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

export interface CertificateFiles {
  readonly keyFile: string;
  /** Self-signed, so it is its own authority. */
  readonly certificateFile: string;
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

/** Creates a self-signed certificate for localhost and 127.0.0.1 in the folder, by openssl. */
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
