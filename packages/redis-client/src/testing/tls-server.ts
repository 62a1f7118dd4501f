import {
  freePort,
  startProcess,
  temporaryFolder,
  waitFor,
  type CertificateAuthority,
  type CertificateFiles,
} from '@openclaw/test-support';

export function tlsArguments(
  { caFile }: CertificateAuthority,
  { certificateFile, keyFile }: CertificateFiles,
): string[] {
  return [
    ...[
      '--tls-cert-file',
      certificateFile,
      '--tls-key-file',
      keyFile,
      '--tls-ca-cert-file',
      caFile,
    ],
    ...['--bind', '127.0.0.1', '--save', '', '--port', '0'],
  ];
}

export async function startTlsServer(args: readonly string[]) {
  const folder = await temporaryFolder('tls');
  const port = await freePort();
  const server = startProcess('redis-server', [
    ...['--tls-port', String(port), '--dir', folder.path],
    ...args,
  ]);
  await waitFor(() => server.output().includes('Ready to accept connections'));
  return {
    port,
    async stop() {
      await server.stop('SIGKILL');
      await folder.remove();
    },
  };
}
