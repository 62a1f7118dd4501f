import { chmodSync, chownSync, copyFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { CertificateFiles } from './certificates.ts';
import type { PostgresServer } from './postgres-server.ts';

/** Copies the files to where the server's user can read them, and returns the paths of the copies. */
export function installCertificate(
  server: PostgresServer,
  name: string,
  { certificateFile, keyFile }: CertificateFiles,
): CertificateFiles {
  const data = server.query('show data_directory');
  const { uid, gid } = statSync(data);
  const copyOf = (file: string, suffix: string) => {
    const copy = join(data, `${name}.${suffix}`);
    copyFileSync(file, copy);
    // PostgreSQL refuses a key that others may read.
    chmodSync(copy, 0o600);
    chownSync(copy, uid, gid);
    return copy;
  };
  return { certificateFile: copyOf(certificateFile, 'pem'), keyFile: copyOf(keyFile, 'key') };
}

/** From now on, new connections may use TLS, but need not. Returns a function that ends TLS. */
export function serveOverTls(server: PostgresServer, certificate: CertificateFiles): () => void {
  const { certificateFile, keyFile } = installCertificate(server, 'server', certificate);
  const settings = { ssl: 'on', ssl_cert_file: certificateFile, ssl_key_file: keyFile };
  const change = (statements: readonly string[]) => {
    for (const statement of statements) server.query(statement, 'postgres');
    server.query('select pg_reload_conf()', 'postgres');
  };
  change(Object.entries(settings).map(([name, value]) => `alter system set ${name} = '${value}'`));
  return () => change(Object.keys(settings).map((name) => `alter system reset ${name}`));
}
