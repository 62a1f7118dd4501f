import { beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readYaml, readYamlDocuments, root } from './repository.ts';

interface Container {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly resources: {
    readonly requests: Readonly<Record<string, string>>;
    readonly limits: Readonly<Record<string, string>>;
  };
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly livenessProbe?: object;
  readonly readinessProbe?: object;
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly volumeMounts: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly readOnly?: boolean;
  }[];
}
interface Pod {
  readonly automountServiceAccountToken: boolean;
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly containers: readonly Container[];
  readonly volumes: readonly {
    readonly name: string;
    readonly configMap?: { readonly name: string };
  }[];
}
interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly serviceName?: string;
    readonly replicas?: number;
    readonly clusterIP?: string;
    readonly publishNotReadyAddresses?: boolean;
    readonly maxUnavailable?: number;
    readonly selector?: Readonly<Record<string, unknown>>;
    readonly ports?: readonly { readonly port: number; readonly targetPort: string }[];
    readonly policyTypes?: readonly string[];
    readonly ingress?: readonly { readonly from?: readonly object[] }[];
    readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
    readonly template?: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: Pod;
    };
  };
}
interface Kustomization {
  readonly resources: readonly string[];
  readonly configMapGenerator: readonly {
    readonly name: string;
    readonly files: readonly string[];
  }[];
}

let kustomization: Kustomization;
let manifests: Manifest[];

beforeAll(async () => {
  kustomization = await readYaml<Kustomization>('infra/kustomization.yaml');
  manifests = (
    await Promise.all(
      kustomization.resources.map((path) => readYamlDocuments<Manifest>(`infra/${path}`)),
    )
  ).flat();
});

function find(kind: string, name: string): Manifest {
  const found = manifests.find((each) => each.kind === kind && each.metadata.name === name);
  if (!found) throw new Error(`no ${kind} ${name}`);
  return found;
}

function podOf(name: string): Pod & { readonly container: Container } {
  const pod = find('StatefulSet', name).spec.template?.spec;
  const container = pod?.containers[0];
  if (!pod || !container) throw new Error(`${name} has no container`);
  return { ...pod, container };
}

describe('the kustomization', () => {
  it('uses the same configuration files as Compose, and they exist', () => {
    const files = kustomization.configMapGenerator.flatMap((map) => map.files);
    expect(files).toEqual([
      'redis/start.sh',
      'redis/redis.prod.conf',
      'redis/users.acl',
      'sentinel/sentinel.conf',
    ]);
    for (const file of files)
      expect([file, existsSync(join(root, 'infra', file))]).toEqual([file, true]);
  });

  it('holds no secret', () => {
    expect(manifests.map(({ kind }) => kind)).not.toContain('Secret');
  });
});

describe.each([
  ['redis', 6379],
  ['sentinel', 26379],
])('%s', (name, port) => {
  it('has three pods behind a headless service that publishes them before they are ready', () => {
    const { apiVersion, spec } = find('StatefulSet', name);
    expect([apiVersion, spec.serviceName, spec.replicas]).toEqual(['apps/v1', name, 3]);
    const service = find('Service', name).spec;
    expect(service).toMatchObject({ clusterIP: 'None', publishNotReadyAddresses: true });
    expect(service.ports).toEqual([{ name, port, targetPort: name }]);
    expect(podOf(name).container.ports).toEqual([{ name, containerPort: port }]);
  });

  it('selects exactly its own pods', () => {
    const own = { 'app.kubernetes.io/name': name };
    const { spec } = find('StatefulSet', name);
    expect(spec.selector).toEqual({ matchLabels: own });
    expect(spec.template?.metadata.labels).toEqual(own);
    expect(find('Service', name).spec.selector).toEqual(own);
    expect(find('PodDisruptionBudget', name).spec.selector).toEqual({ matchLabels: own });
  });

  it('allows maintenance of one pod at a time', () => {
    expect(find('PodDisruptionBudget', name)).toMatchObject({
      apiVersion: 'policy/v1',
      spec: { maxUnavailable: 1 },
    });
  });

  it('runs without root and privileges, on a read-only file system', () => {
    const pod = podOf(name);
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 999,
      runAsGroup: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(pod.container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  it('has resource requests, a memory limit and probes', () => {
    const { resources, livenessProbe, readinessProbe } = podOf(name).container;
    expect(resources.requests).toMatchObject({
      cpu: expect.any(String),
      memory: expect.any(String),
    });
    expect(resources.limits).toMatchObject({ memory: expect.any(String) });
    expect(livenessProbe).toBeDefined();
    expect(readinessProbe).toBeDefined();
  });

  it('mounts only declared volumes, and writes only there', () => {
    const pod = podOf(name);
    const claims = find('StatefulSet', name).spec.volumeClaimTemplates ?? [];
    const volumes = [...pod.volumes, ...claims.map(({ metadata }) => metadata)];
    const mounts = pod.container.volumeMounts;
    expect(volumes.map((volume) => volume.name).sort()).toEqual(
      mounts.map((mount) => mount.name).sort(),
    );
    const writable = mounts.filter((mount) => !mount.readOnly).map(({ mountPath }) => mountPath);
    expect(writable).toEqual(name === 'redis' ? ['/run/openclaw', '/data'] : ['/run/openclaw']);
    for (const { configMap } of pod.volumes) {
      if (!configMap) continue;
      expect(kustomization.configMapGenerator.map((map) => map.name)).toContain(configMap.name);
    }
  });

  it('starts through start.sh with the addresses that the services give', () => {
    const { command, env } = podOf(name).container;
    const mode = name === 'redis' ? 'prod' : 'sentinel';
    expect(command).toEqual(['sh', '/etc/openclaw/redis/start.sh', mode]);
    const value = (variable: string) => env.find((each) => each.name === variable)?.value;
    expect(value('REDIS_ANNOUNCE')).toBe(`$(POD_NAME).${name}:${port}`);
    expect(value('REDIS_FIRST_MASTER')).toBe('redis-0.redis:6379');
    expect(value('REDIS_SENTINELS')).toBe(
      [0, 1, 2].map((index) => `sentinel-${index}.sentinel:26379`).join(','),
    );
    // Kubernetes replaces $(POD_NAME) only if that variable is defined above.
    const names = env.map((each) => each.name);
    expect(names.indexOf('POD_NAME')).toBeLessThan(names.indexOf('REDIS_ANNOUNCE'));
  });
});

describe('the network policy', () => {
  it('allows ingress only from named pods, and egress only to Redis, sentinels and DNS', () => {
    const { spec } = find('NetworkPolicy', 'redis');
    expect(spec.policyTypes).toEqual(['Ingress', 'Egress']);
    expect(spec.ingress).toHaveLength(1);
    expect(spec.ingress?.[0]?.from).toEqual([
      {
        podSelector: {
          matchExpressions: [
            { key: 'app.kubernetes.io/name', operator: 'In', values: ['redis', 'sentinel'] },
          ],
        },
      },
      { podSelector: { matchLabels: { 'openclaw.dev/redis-client': 'true' } } },
    ]);
  });
});

describe('memory', () => {
  it('of a Redis pod has room above maxmemory for a snapshot and for buffers', async () => {
    const { resources } = podOf('redis').container;
    expect(resources).toMatchObject({ requests: { memory: '5Gi' }, limits: { memory: '6Gi' } });
  });
});
