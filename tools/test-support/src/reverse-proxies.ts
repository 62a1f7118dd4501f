import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CertificateFiles } from './certificates.ts';
import { startProcess, temporaryFolder, waitFor } from './processes.ts';

export interface ReverseProxy extends AsyncDisposable {
  output(): string;
  stop(): Promise<void>;
}

const configurations = resolve(fileURLToPath(import.meta.url), '../../../../infra/proxy');

export function hasProgram(name: string): boolean {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.some((folder) => existsSync(join(folder, name)));
}

/** The project's own nginx.conf, but with the test's addresses in the places that users change. */
export function nginxSite(site: {
  readonly port: number;
  readonly hubPorts: readonly number[];
  readonly certificate: CertificateFiles;
  /** The proxy serves the hub below this path, such as `/chat/`. */
  readonly path: string;
}): string {
  const { certificateFile, keyFile } = site.certificate;
  const [first, second = first] = site.hubPorts;
  const changes: readonly (readonly [string, string])[] = [
    ['listen 443 ssl;', `listen 127.0.0.1:${site.port} ssl;`],
    ['server hub-1:8080;', `server 127.0.0.1:${first};`],
    ['server hub-2:8080;', first === second ? '' : `server 127.0.0.1:${second};`],
    ['/etc/nginx/tls/chat.example.com.crt', certificateFile],
    ['/etc/nginx/tls/chat.example.com.key', keyFile],
    ['location / {', `location ${site.path} {`],
    ['location ~ ^/(', `location ~ ^${site.path}(`],
  ];
  let text = readFileSync(join(configurations, 'nginx.conf'), 'utf8');
  for (const [from, to] of changes) {
    if (!text.includes(from)) throw new Error(`nginx.conf has no "${from}"`);
    text = text.replace(from, to);
  }
  return text;
}

/** `http` is the content of nginx's block `http`. Waits until nginx listens on the port. */
export async function startNginx(http: string, port: number): Promise<ReverseProxy> {
  const folder = await temporaryFolder('nginx');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder.path}/${name};`,
  );
  const file = join(folder.path, 'nginx.conf');
  const own = process.getuid?.() === 0 ? 'user root;' : '';
  writeFileSync(
    file,
    `${own} daemon off; pid ${folder.path}/nginx.pid; error_log stderr warn; worker_processes 1;
events {}
http { access_log off; ${temporary.join(' ')}
${http}
}
`,
  );
  const args = ['-e', 'stderr', '-p', folder.path, '-c', file];
  return started('nginx', args, process.env, port, () => folder.remove());
}

/** Uses the project's haproxy.cfg. Both hubs answer readiness on `opsPorts`, not on `hubPorts`. */
export async function startHaproxy(site: {
  readonly port: number;
  readonly hubPorts: readonly [number, number];
  readonly opsPorts: readonly [number, number];
}): Promise<ReverseProxy> {
  const env = {
    PATH: process.env['PATH'],
    BALANCER_BIND: `127.0.0.1:${site.port}`,
    HUB_1: `127.0.0.1:${site.hubPorts[0]}`,
    HUB_2: `127.0.0.1:${site.hubPorts[1]}`,
    HUB_1_OPS_PORT: String(site.opsPorts[0]),
    HUB_2_OPS_PORT: String(site.opsPorts[1]),
  };
  const args = ['-db', '-f', join(configurations, 'haproxy.cfg')];
  return started('haproxy', args, env, site.port, async () => undefined);
}

async function started(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  port: number,
  remove: () => Promise<void>,
): Promise<ReverseProxy> {
  const running = startProcess(program, args, { env });
  let hasExited = false;
  void running.exited.then(() => (hasExited = true));
  const stop = async () => {
    await running.stop();
    await remove();
  };
  await waitFor(
    () => {
      if (hasExited) throw new Error(`${program} did not start: ${running.output()}`);
      return isListening(port);
    },
    { what: `${program} on ${port}`, timeoutMs: 20_000, everyMs: 50 },
  ).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { output: () => running.output(), stop, [Symbol.asyncDispose]: stop };
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
