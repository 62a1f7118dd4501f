import { beforeAll, describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '@openclaw/test-support';
import { suiteScope } from '@openclaw/test-support/scopes';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { isOnPath, runChecker } from './checkers.ts';
import {
  overlays,
  renderOverlay,
  type Container,
  type Manifest,
  type Overlay,
  type Rendered,
} from './manifests.ts';
import { readText, root } from './repository.ts';

// The oldest and the newest Kubernetes whose schemas the validator has.
const versions = ['1.25.0', '1.37.0'];
const isCustom = (manifest: Manifest) => manifest.apiVersion === 'monitoring.coreos.com/v1';

const describeRendered = isOnPath('kustomize') ? describe : describe.skip;
const itValidates = isOnPath('kubernetes-validate') ? it : it.skip;

const scope = suiteScope();
const rendered = new Map<Overlay, Rendered>();
let folder: string;
beforeAll(async () => {
  folder = (await scope.use(temporaryFolder('manifests'))).path;
  if (!isOnPath('kustomize')) return;
  for (const overlay of overlays) rendered.set(overlay, await renderOverlay(overlay));
});
function of(overlay: Overlay): Rendered {
  const found = rendered.get(overlay);
  if (!found) throw new Error(`${overlay} was not rendered`);
  return found;
}

async function validate(version: string, manifests: readonly object[]) {
  const file = join(folder, 'manifests.yaml');
  await writeFile(file, manifests.map((each) => stringify(each)).join('---\n'));
  return runChecker('kubernetes-validate', ['--strict', '--quiet', '-k', version, file]);
}
async function validateCustom(manifest: Manifest) {
  const file = join(folder, 'custom.json');
  await writeFile(file, JSON.stringify(manifest));
  const schema = join(root, `infra/k8s/schemas/${manifest.kind.toLowerCase()}.json`);
  return runChecker('jsonschema', ['-i', file, schema], {
    env: { ...process.env, PYTHONWARNINGS: 'ignore' },
  });
}

describeRendered.each(overlays)('the overlay %s', (overlay) => {
  const each = (visit: (container: Container, name: string) => void) => {
    for (const { name, pod } of of(overlay).workloads) {
      for (const container of pod.containers) visit(container, `${name}/${container.name}`);
    }
  };

  itValidates.each(versions)('is valid on Kubernetes %s', async (version) => {
    const manifests = of(overlay).manifests.filter((manifest) => !isCustom(manifest));
    expect(await validate(version, manifests)).toMatchObject({ code: 0 });
  });

  itValidates('has custom resources that fit their schemas in infra/k8s/schemas', async () => {
    const custom = of(overlay).manifests.filter(isCustom);
    expect(custom.length > 0).toBe(overlay !== 'dev');
    for (const manifest of custom) {
      expect(await validateCustom(manifest)).toMatchObject({ code: 0, output: '' });
    }
  });

  it('holds no secret, and names only those that infra/README.md creates', async () => {
    const { manifests, workloads } = of(overlay);
    expect(manifests.map(({ kind }) => kind)).not.toContain('Secret');
    const named = new Set(
      workloads.flatMap(({ pod }) => [
        ...(pod.volumes ?? []).flatMap(({ secret }) => secret?.secretName ?? []),
        ...pod.containers.flatMap(({ env = [] }) =>
          env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef?.name ?? []),
        ),
      ]),
    );
    expect([...named].sort()).toEqual(['openclaw-hub', 'openclaw-redis']);
    const readme = await readText('infra/README.md');
    for (const name of named) expect(readme).toContain(`create secret generic ${name}`);
  });

  it('has every object in one namespace', () => {
    const namespaces = new Set(of(overlay).manifests.map(({ metadata }) => metadata.namespace));
    expect(namespaces.size).toBe(1);
    expect([...namespaces][0]).toMatch(/^openclaw/);
  });

  it('runs without root and privileges, on a read-only file system', () => {
    for (const { name, pod } of of(overlay).workloads) {
      expect([name, pod]).toMatchObject([
        name,
        {
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: name === 'chat-hub' ? 1000 : 999,
            runAsGroup: 1000,
            seccompProfile: { type: 'RuntimeDefault' },
          },
        },
      ]);
    }
    each(({ securityContext }, name) => {
      expect([name, securityContext]).toEqual([
        name,
        {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
      ]);
    });
  });

  it('has requests, a memory limit, and a readiness probe where something is served', () => {
    each(({ resources, readinessProbe, ports }, name) => {
      expect([name, resources]).toMatchObject([
        name,
        {
          requests: { cpu: expect.any(String), memory: expect.any(String) },
          limits: { memory: expect.any(String) },
        },
      ]);
      expect([name, readinessProbe !== undefined]).toEqual([name, ports !== undefined]);
    });
  });

  it('mounts only volumes that exist, and ConfigMaps that are rendered', () => {
    const { workloads, find } = of(overlay);
    for (const { name, pod, volumeNames } of workloads) {
      const mounts = pod.containers.flatMap(({ volumeMounts = [] }) => volumeMounts);
      expect([name, [...new Set(mounts.map((mount) => mount.name))].sort()]).toEqual([
        name,
        [...volumeNames].sort(),
      ]);
      const maps = [
        ...(pod.volumes ?? []).flatMap(({ configMap }) => configMap?.name ?? []),
        ...pod.containers.flatMap(({ envFrom = [] }) =>
          envFrom.map(({ configMapRef }) => configMapRef.name),
        ),
      ];
      for (const map of maps) expect(find('ConfigMap', map).data).toBeDefined();
    }
  });

  it('has services and disruption budgets that select exactly one workload, by ports it has', () => {
    const { manifests, workloads } = of(overlay);
    const selectedBy = (selector: unknown) =>
      workloads.filter(({ labels }) =>
        Object.entries(selector as Record<string, string>).every(
          ([label, value]) => labels[label] === value,
        ),
      );
    for (const { kind, metadata, spec } of manifests) {
      if (kind === 'PodDisruptionBudget') {
        const { matchLabels } = spec?.['selector'] as { matchLabels: object };
        expect(selectedBy(matchLabels).map(({ name }) => name)).toEqual([metadata.name]);
        expect(spec?.['maxUnavailable']).toBe(1);
      }
      if (kind !== 'Service') continue;
      const [workload, ...others] = selectedBy(spec?.['selector']);
      expect([workload?.name, others]).toEqual([metadata.name, []]);
      const names = workload?.pod.containers.flatMap(({ ports = [] }) =>
        ports.map((port) => port.name),
      );
      for (const port of spec?.['ports'] as { targetPort: string }[]) {
        expect(names).toContain(port.targetPort);
      }
    }
  });

  it('gives the hub only settings that .env.example explains', async () => {
    const names = new Set(
      [...(await readText('.env.example')).matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name),
    );
    const { pod } = of(overlay).workload('chat-hub');
    const { env = [], envFrom = [] } = pod.containers[0] as Container;
    const settings = envFrom.flatMap(({ configMapRef }) =>
      Object.keys(of(overlay).find('ConfigMap', configMapRef.name).data ?? {}),
    );
    expect(settings).toContain('HUB_PORT');
    for (const name of [...settings, ...env.map((entry) => entry.name)]) {
      expect([name, names.has(name)]).toEqual([name, true]);
    }
  });

  it('defines POD_NAME before the values that contain it', () => {
    each(({ env = [] }, container) => {
      const names = env.map(({ name }) => name);
      for (const { name, value } of env) {
        if (!value?.includes('$(POD_NAME)')) continue;
        expect([container, names.indexOf('POD_NAME')]).not.toEqual([container, -1]);
        expect(names.indexOf('POD_NAME')).toBeLessThan(names.indexOf(name));
      }
    });
  });

  it('lets only pods of Redis and its clients reach Redis, and the hub is a client', () => {
    const { ingress, policyTypes } = of(overlay).find('NetworkPolicy', 'redis').spec as {
      ingress: { from: object[]; ports: { port: number | string }[] }[];
      policyTypes: string[];
    };
    expect(policyTypes).toEqual(['Ingress', 'Egress']);
    const toRedis = ingress.filter(({ ports }) => ports.some(({ port }) => port === 6379));
    expect(toRedis.map(({ from }) => from)).toEqual([
      [
        {
          podSelector: {
            matchExpressions: [
              { key: 'app.kubernetes.io/name', operator: 'In', values: ['redis', 'sentinel'] },
            ],
          },
        },
        { podSelector: { matchLabels: { 'openclaw.dev/redis-client': 'true' } } },
      ],
    ]);
    expect(of(overlay).workload('chat-hub').labels).toMatchObject({
      'openclaw.dev/redis-client': 'true',
    });
  });
});

describeRendered('the validation', () => {
  itValidates(
    'refuses an unknown field and a wrong type, so a misspelt setting is seen',
    async () => {
      const hub = of('production').find('Deployment', 'chat-hub');
      const misspelt = { ...hub, spec: { ...hub.spec, replica: 2 } };
      expect((await validate('1.37.0', [misspelt])).code).not.toBe(0);
      const mistyped = { ...hub, spec: { ...hub.spec, replicas: 'two' } };
      expect((await validate('1.37.0', [mistyped])).code).not.toBe(0);
      const monitor = of('production').find('ServiceMonitor', 'chat-hub');
      const custom = { ...monitor, spec: { ...monitor.spec, endpoint: [] } };
      expect((await validateCustom(custom)).code).not.toBe(0);
    },
  );
});

describeRendered('dev', () => {
  it('claims no disk', () => {
    expect(of('dev').text).not.toContain('volumeClaimTemplates');
    expect(
      of('dev')
        .workloads.map(({ name }) => name)
        .sort(),
    ).toEqual(['chat-hub', 'redis']);
  });
});

describeRendered.each(['production', 'production-cluster'] as const)('%s', (overlay) => {
  it('scales the hub from three on, and leaves the number to the autoscaler', () => {
    const { spec } = of(overlay).find('HorizontalPodAutoscaler', 'chat-hub');
    expect(spec).toMatchObject({
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'chat-hub' },
      minReplicas: 3,
    });
    expect(of(overlay).workload('chat-hub').manifest.spec?.replicas).toBeUndefined();
  });

  it('has a hub image with a version', () => {
    const [container] = of(overlay).workload('chat-hub').pod.containers;
    expect(container?.image).toMatch(/^openclaw\/chat-hub:\d+\.\d+\.\d+$/);
  });

  it('reaches the hub’s clients by an Ingress with TLS, at a port that its service has', () => {
    const { tls, rules } = of(overlay).find('Ingress', 'chat-hub').spec as {
      tls: { hosts: string[] }[];
      rules: { host: string; http: { paths: { backend: { service: object } }[] } }[];
    };
    expect(tls.flatMap(({ hosts }) => hosts)).toEqual(rules.map(({ host }) => host));
    const [backend] = rules.flatMap(({ http }) => http.paths.map((path) => path.backend));
    expect(backend?.service).toEqual({ name: 'chat-hub', port: { name: 'http' } });
    expect(of(overlay).find('Service', 'chat-hub').spec?.['ports']).toContainEqual(
      expect.objectContaining({ name: 'http', port: 80 }),
    );
  });

  it('has a Redis pod with room above maxmemory for a snapshot and for buffers', () => {
    const { containers } = of(overlay).workload('redis').pod;
    expect(containers.find(({ name }) => name === 'redis')?.resources).toMatchObject({
      requests: { memory: '5Gi' },
      limits: { memory: '6Gi' },
    });
  });
});

describeRendered('the alerts', () => {
  (isOnPath('promtool') ? it : it.skip)('are rules that Prometheus accepts', async () => {
    const { spec } = of('testing').find('PrometheusRule', 'openclaw');
    const file = join(folder, 'rules.yaml');
    await writeFile(file, stringify(spec));
    expect(await runChecker('promtool', ['check', 'rules', file])).toMatchObject({ code: 0 });
  });
});
