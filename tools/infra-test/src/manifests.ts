import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { runChecker } from './checkers.ts';
import { root } from './repository.ts';

export const overlays = ['dev', 'testing', 'production', 'production-cluster'] as const;
export type Overlay = (typeof overlays)[number];

export interface Probe {
  readonly exec?: { readonly command: readonly string[] };
  readonly httpGet?: { readonly path: string; readonly port: string };
  readonly periodSeconds?: number;
  readonly timeoutSeconds?: number;
  readonly failureThreshold?: number;
}
export interface EnvironmentEntry {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly secretKeyRef?: {
      readonly name: string;
      readonly key: string;
      readonly optional?: boolean;
    };
    readonly fieldRef?: { readonly fieldPath: string };
  };
}
export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly EnvironmentEntry[];
  readonly envFrom?: readonly { readonly configMapRef: { readonly name: string } }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly resources?: {
    readonly requests?: Readonly<Record<string, string>>;
    readonly limits?: Readonly<Record<string, string>>;
  };
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly lifecycle?: {
    readonly preStop?: { readonly exec: { readonly command: readonly string[] } };
  };
  readonly volumeMounts?: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly readOnly?: boolean;
  }[];
}
export interface Volume {
  readonly name: string;
  readonly configMap?: { readonly name: string };
  readonly secret?: {
    readonly secretName: string;
    readonly items?: readonly { readonly key: string; readonly path: string }[];
  };
  readonly emptyDir?: object;
}
export interface Pod {
  readonly automountServiceAccountToken?: boolean;
  readonly enableServiceLinks?: boolean;
  readonly terminationGracePeriodSeconds?: number;
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes?: readonly Volume[];
}
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: Readonly<Record<string, unknown>> & {
    readonly replicas?: number;
    readonly template?: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: Pod;
    };
    readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
  };
}

export interface Workload {
  readonly kind: string;
  readonly name: string;
  readonly manifest: Manifest;
  readonly pod: Pod;
  readonly labels: Readonly<Record<string, string>>;
  readonly volumeNames: readonly string[];
}

export interface Rendered {
  readonly text: string;
  readonly manifests: readonly Manifest[];
  readonly workloads: readonly Workload[];
  readonly find: (kind: string, name: string) => Manifest;
  readonly workload: (name: string) => Workload;
}

/** kustomize must be on PATH. */
export async function renderOverlay(overlay: Overlay): Promise<Rendered> {
  const path = join(root, 'infra/k8s/overlays', overlay);
  const { code, output: text } = await runChecker('kustomize', ['build', path]);
  if (code !== 0) throw new Error(`kustomize build ${path}: ${text}`);
  const manifests = parseAllDocuments(text).map((document) => document.toJS() as Manifest);
  const workloads = manifests.flatMap((manifest): Workload[] => {
    const template = manifest.spec?.template;
    if (!template) return [];
    const claims = manifest.spec?.volumeClaimTemplates ?? [];
    return [
      {
        kind: manifest.kind,
        name: manifest.metadata.name,
        manifest,
        pod: template.spec,
        labels: template.metadata.labels,
        volumeNames: [
          ...(template.spec.volumes ?? []).map((volume) => volume.name),
          ...claims.map(({ metadata }) => metadata.name),
        ],
      },
    ];
  });
  return {
    text,
    manifests,
    workloads,
    find: (kind, name) =>
      found(
        manifests.find((each) => each.kind === kind && each.metadata.name === name),
        `${kind} ${name}`,
      ),
    workload: (name) =>
      found(
        workloads.find((each) => each.name === name),
        name,
      ),
  };
}

function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`no ${what} is rendered`);
  return value;
}
