import { beforeAll, describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '@openclaw/test-support';
import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { isOnPath, runChecker } from './checkers.ts';
import { readText, readYaml, root } from './repository.ts';

interface Service {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly profiles?: readonly string[];
  readonly command?: readonly string[];
  readonly user?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly restart?: string;
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly volumes?: readonly (string | { readonly source: string; readonly read_only: boolean })[];
  readonly ports?: readonly string[];
  readonly healthcheck?: Readonly<Record<string, unknown>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}
interface Compose {
  readonly include?: readonly string[];
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const monitoringServices = [
  'alertmanager',
  'grafana',
  'node-exporter',
  'postgres-exporter',
  'prometheus',
  'redis-exporter',
];

const paths = {
  root: 'docker-compose.yml',
  sentinel: 'infra/sentinel/docker-compose.yml',
  cluster: 'infra/cluster/docker-compose.yml',
  monitoring: 'infra/monitoring/docker-compose.yml',
};
let compose: Record<keyof typeof paths, Compose>;
let every: [file: keyof typeof paths, name: string, service: Service][];

beforeAll(async () => {
  compose = {
    root: await readYaml<Compose>(paths.root),
    sentinel: await readYaml<Compose>(paths.sentinel),
    cluster: await readYaml<Compose>(paths.cluster),
    monitoring: await readYaml<Compose>(paths.monitoring),
  };
  every = (['root', 'sentinel', 'cluster', 'monitoring'] as const).flatMap((file) =>
    Object.entries(compose[file].services).map(([name, service]): (typeof every)[number] => [
      file,
      name,
      service,
    ]),
  );
});

describe('docker-compose.yml', () => {
  it('has the EPIC’s Redis: image, volume, port and health check', () => {
    const { redis } = compose.root.services;
    expect(redis).toMatchObject({
      image: 'redis:7-alpine',
      ports: ['${REDIS_BIND:-127.0.0.1}:${REDIS_PORT:-6379}:6379'],
      healthcheck: {
        test: ['CMD', 'redis-cli', 'ping'],
        interval: '10s',
        timeout: '5s',
        retries: 5,
      },
    });
    expect(redis?.volumes).toContain('openclaw_redis:/data');
    expect(redis?.profiles).toBeUndefined();
  });

  it('starts the hub with PostgreSQL in the profile hub, once the two services that it needs are healthy', () => {
    const { hub, postgres } = compose.root.services;
    expect(hub?.profiles).toEqual(['hub']);
    expect(postgres).toMatchObject({ profiles: ['hub', 'hubs'], image: 'postgres:17-alpine' });
    expect(postgres?.healthcheck).toBeDefined();
    expect(hub?.depends_on).toEqual({
      postgres: { condition: 'service_healthy' },
      redis: { condition: 'service_healthy' },
    });
    expect(hub?.environment).toMatchObject({ NODE_ENV: 'production', REDIS_HOST: 'redis' });
  });

  it('includes the profile sentinel: three nodes, three sentinels, nothing published', () => {
    expect(compose.root.include).toEqual([paths.sentinel, paths.cluster, paths.monitoring]);
    const { services } = compose.sentinel;
    expect(Object.keys(services).sort()).toEqual([
      'redis-1',
      'redis-2',
      'redis-3',
      'sentinel-1',
      'sentinel-2',
      'sentinel-3',
    ]);
    for (const service of Object.values(services)) {
      expect(service.profiles).toEqual(['sentinel']);
      expect(service.ports).toBeUndefined();
    }
  });
});

describe('the profile monitoring', () => {
  it('has pinned images, and names the profile for each service', () => {
    const { services } = compose.monitoring;
    expect(Object.keys(services).sort()).toEqual(monitoringServices);
    for (const [name, { image, profiles }] of Object.entries(services)) {
      expect([name, profiles]).toEqual([name, ['monitoring']]);
      expect([name, image]).toEqual([name, expect.stringMatching(/:v?\d+\.\d+\.\d+/)]);
    }
  });

  it('has every address that Prometheus, Alertmanager and Grafana are given, except the receiver of alerts', async () => {
    const services = { ...compose.root.services, ...compose.monitoring.services };
    const named = new Set<string>();
    for (const name of await readdir(join(root, 'infra/monitoring/targets'))) {
      const groups = await readYaml<{ targets: string[]; labels?: { __param_target: string } }[]>(
        `infra/monitoring/targets/${name}`,
      );
      for (const { targets, labels } of groups) {
        for (const target of targets) named.add(new URL(`http://${target}`).hostname);
        if (labels) named.add(new URL(labels.__param_target).hostname);
      }
    }
    const { datasources } = await readYaml<{ datasources: { url: string }[] }>(
      'infra/monitoring/grafana/datasources/prometheus.yml',
    );
    for (const { url } of datasources) named.add(new URL(url).hostname);
    expect(named.size).toBeGreaterThan(5);
    named.delete('localhost');
    expect([...named].filter((name) => !(name in services))).toEqual([]);
  });

  it('provisions the dashboards from the folder that is mounted', async () => {
    const { providers } = await readYaml<{ providers: { options: { path: string } }[] }>(
      'infra/monitoring/grafana/dashboards/openclaw.yml',
    );
    expect(compose.monitoring.services['grafana']?.volumes).toEqual([
      './grafana:/etc/grafana/provisioning:ro',
      ...providers.map(({ options }) => `./dashboards:${options.path}:ro`),
    ]);
  });
});

// compose-config does what `docker compose config` does: it resolves anchors, includes and defaults, and checks the types.
(isOnPath('compose-config') ? describe : describe.skip)(
  'as Compose resolves it (needs Go, for compose-config)',
  () => {
    interface Resolved {
      readonly profiles?: readonly string[];
      readonly ports?: readonly { readonly host_ip?: string; readonly target: number }[];
      readonly depends_on?: Readonly<Record<string, unknown>>;
    }
    let services: [name: string, service: Resolved][];

    const config = (file: string) => runChecker('compose-config', [file], { cwd: root });
    beforeAll(async () => {
      const { code, output } = await config('docker-compose.yml');
      expect([code, code === 0 ? '' : output]).toEqual([0, '']);
      services = Object.entries((parse(output) as { services: Record<string, Resolved> }).services);
    });
    const startedBy = (profile: string) =>
      services.filter(([, { profiles }]) => !profiles || profiles.includes(profile));

    it.each([
      ['no profile', ['redis']],
      ['hub', ['hub', 'postgres', 'redis']],
      ['hubs', ['balancer', 'hub-1', 'hub-2', 'postgres', 'redis']],
      ['sentinel', ['redis', ...nodes('redis', 3), ...nodes('sentinel', 3)]],
      ['cluster', [...nodes('cluster', 6), 'cluster-create', 'redis']],
      ['monitoring', ['redis', ...monitoringServices]],
    ])('%s starts exactly its services, with all that they depend on', (profile, expected) => {
      const started = startedBy(profile).map(([name]) => name);
      expect(started.sort()).toEqual([...expected].sort());
      for (const [name, { depends_on = {} }] of startedBy(profile)) {
        for (const other of Object.keys(depends_on))
          expect([name, other, started.includes(other)]).toEqual([name, other, true]);
      }
    });

    it('publishes the hub or its balancer on all addresses, Redis and monitoring on loopback, and nothing else', () => {
      const published = services.flatMap(([name, { ports = [] }]) =>
        ports.map((port) => `${name} ${port.host_ip ?? '*'} ${port.target}`),
      );
      expect(published.sort()).toEqual([
        'alertmanager 127.0.0.1 9093',
        'balancer * 8080',
        'grafana 127.0.0.1 3000',
        'hub * 8080',
        'prometheus 127.0.0.1 9090',
        'redis 127.0.0.1 6379',
      ]);
    });

    it('is refused with a misspelt setting', async () => {
      await using folder = await temporaryFolder('compose');
      const file = join(folder.path, 'docker-compose.yml');
      await writeFile(file, 'services: { hub: { image: hub, port: [8080] } }\n');
      expect((await config(file)).code).toBe(1);
    });
  },
);

describe('each service', () => {
  it('restarts after a crash and has no privileges', () => {
    for (const [, name, service] of every) {
      expect([name, service.restart, service.security_opt]).toEqual([
        name,
        name === 'cluster-create' ? 'on-failure' : 'unless-stopped',
        ['no-new-privileges:true'],
      ]);
      // PostgreSQL's image needs capabilities to switch to its own user.
      if (name === 'postgres') continue;
      expect([name, service.cap_drop, service.read_only]).toEqual([name, ['ALL'], true]);
    }
  });

  it('of Redis runs as its image’s user and through start.sh', () => {
    for (const [, name, service] of every) {
      if (service.image !== 'redis:7-alpine' || name === 'cluster-create') continue;
      expect([name, service.user]).toEqual([name, '999:1000']);
      expect(service.command?.slice(0, 2)).toEqual(['sh', '/etc/openclaw/redis/start.sh']);
      expect(service.healthcheck).toBeDefined();
    }
  });

  it('has its health checked, the hub by its image', async () => {
    for (const [, name, service] of every) {
      if (service.build !== undefined || name === 'cluster-create') continue;
      expect([name, service.healthcheck]).toEqual([name, expect.anything()]);
    }
    expect(await readText('apps/chat-hub/Dockerfile')).toMatch(/^HEALTHCHECK .*\n?.*\/healthz/m);
  });

  it('mounts only files that exist, and only volumes that are declared', () => {
    for (const [file, name, service] of every) {
      for (const volume of service.volumes ?? []) {
        if (typeof volume !== 'string') {
          // Compose reads the path of this folder from a variable.
          expect([name, volume.source, volume.read_only]).toEqual([
            name,
            expect.stringMatching(/^\$\{[A-Z]+:-/),
            true,
          ]);
          continue;
        }
        const [source = '', , mode] = volume.split(':');
        if (source.startsWith('.')) {
          const path = resolve(root, join(paths[file], '..'), source);
          expect([name, path, existsSync(path), mode]).toEqual([name, path, true, 'ro']);
        } else {
          expect(Object.keys(compose[file].volumes)).toContain(source);
        }
      }
    }
  });

  it('gets secrets only from the environment', () => {
    for (const [, name, service] of every) {
      for (const [variable, value] of Object.entries(service.environment ?? {})) {
        if (!/PASS|SECRET|TOKEN/.test(variable)) continue;
        // In the exporters, the variable of the password has another name than in .env.
        const expected = name.endsWith('-exporter')
          ? expect.stringMatching(/^\$\{[A-Z_]+_PASSWORD:-\}$/)
          : `\${${variable.replace('HUB_DB_', 'POSTGRES_')}:-}`;
        expect([name, variable, value]).toEqual([name, variable, expected]);
      }
    }
  });
});

describe('.env.example', () => {
  it('names every variable that Compose reads', async () => {
    const named = await namesIn('.env.example', /^([A-Z_]+)=/gm);
    for (const path of Object.values(paths)) {
      for (const name of await namesIn(path, /\$\{([A-Z_]+)/g)) expect(named).toContain(name);
    }
  });

  it('names every variable that the hub reads, and no unused one', async () => {
    const named = await namesIn('.env.example', /^([A-Z_]+)=/gm);
    const secrets = await namesIn('apps/chat-hub/src/secret-files.ts', /'((?:[A-Z]+_)+[A-Z]+)'/g);
    const settings = ['config', 'jwt-settings', 'database-settings'].map((file) =>
      namesIn(`apps/chat-hub/src/${file}.ts`, /\b((?:HUB|LOG)_[A-Z_]*[A-Z]|NODE_ENV)\b/g),
    );
    const read = new Set([
      ...secrets.map((name) => `${name}_FILE`),
      ...(await Promise.all(settings)).flat(),
      ...(await namesIn(
        'packages/redis-client/src/environment.ts',
        /'((?:CHAT_)?REDIS_[A-Z_]+)'/g,
      )),
    ]);
    read.delete('REDIS_');
    read.delete('CHAT_REDIS_');
    expect([...read].filter((name) => !named.includes(name))).toEqual([]);
    for (const path of Object.values(paths)) {
      for (const name of await namesIn(path, /\$\{([A-Z_]+)/g)) read.add(name);
    }
    expect(named.filter((name) => !read.has(name))).toEqual([]);
  });

  it('has the values of the EPIC, and no secret', async () => {
    const text = await readText('.env.example');
    for (const line of [
      'REDIS_HOST=localhost',
      'REDIS_PORT=6379',
      'REDIS_DB=0',
      'CHAT_REDIS_HOST=localhost',
      'CHAT_REDIS_PORT=6379',
      'CHAT_REDIS_PASSWORD=',
      'CHAT_REDIS_DB=0',
      'CHAT_REDIS_TLS=false',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    expect(text).not.toMatch(/^[A-Z_]*(?:PASSWORD|SECRET)=.+$/m);
  });
});

function nodes(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${name}-${index + 1}`);
}

async function namesIn(path: string, pattern: RegExp): Promise<string[]> {
  const names = [...(await readText(path)).matchAll(pattern)].map(([, name = '']) => name);
  return [...new Set(names)];
}
