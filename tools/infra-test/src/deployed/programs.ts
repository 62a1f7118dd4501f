import { join } from 'node:path';
import { isOnPath } from '../checkers.ts';
import type { Container } from '../manifests.ts';
import type { BuiltImage } from './built-image.ts';

interface Started {
  readonly command: readonly string[];
  readonly cwd?: string;
  readonly env: Readonly<Record<string, string>>;
}
export type Program = (context: {
  /** The folder contains each mount at the mount's path in the container. */
  readonly tree: string;
  readonly port: (containerPort: number) => number;
  readonly env: Readonly<Record<string, string>>;
}) => Started;

function hubProgram(image: BuiltImage): Program {
  return ({ port, env }) => ({
    command: image.command,
    cwd: image.workdir,
    env: {
      ...image.env,
      ...env,
      HUB_HOST: '127.0.0.1',
      HUB_PORT: String(port(Number(env['HUB_PORT']))),
      HUB_OPS_PORT: String(port(Number(env['HUB_OPS_PORT']))),
    },
  });
}

/** start.sh passes further arguments to redis-server, where they override the configuration files. */
function redisProgram(container: Container): Program {
  return ({ tree, port }) => {
    const words = [...(container.command ?? []), ...(container.args ?? [])];
    const [main, bus] = container.ports ?? [];
    const onLoopback = main
      ? ['--port', String(port(main.containerPort)), '--bind', '127.0.0.1']
      : [];
    if (bus) onLoopback.push('--cluster-port', String(port(bus.containerPort)));
    const hasData = container.volumeMounts?.some(({ mountPath }) => mountPath === '/data');
    return {
      command: [...words, ...onLoopback],
      ...(hasData && { cwd: join(tree, 'data') }),
      env: {
        REDIS_RUN_DIR: join(tree, 'run/openclaw'),
        REDIS_SECRETS_DIR: join(tree, 'run/secrets'),
      },
    };
  };
}

const exporterProgram: Program = ({ port }) => ({
  command: ['prometheus-redis-exporter'],
  env: { REDIS_EXPORTER_WEB_LISTEN_ADDRESS: `127.0.0.1:${port(9121)}` },
});

export function programOf(container: Container, image: BuiltImage): Program | null {
  if (container.image.startsWith('openclaw/chat-hub')) return hubProgram(image);
  if (container.image.startsWith('redis:')) return redisProgram(container);
  if (container.image.startsWith('oliver006/redis_exporter:')) {
    return isOnPath('prometheus-redis-exporter') ? exporterProgram : null;
  }
  throw new Error(`${container.image} is not known`);
}
