import {
  freePort,
  startProcess,
  temporaryFolder,
  type ServerProcess,
} from '@openclaw/test-support';
import { chown, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runChecker } from '../checkers.ts';
import type { Container, Probe, Rendered, Workload } from '../manifests.ts';
import type { BuiltImage } from './built-image.ts';
import { programOf, type Program } from './programs.ts';

/** A pod needs these besides the manifests, which contain only the names of the secrets. */
export interface Surroundings {
  readonly image: BuiltImage;
  /** Maps the name of a Secret to its keys and values. */
  readonly secrets: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface RunningContainer {
  readonly name: string;
  readonly pod: string;
  readonly process: ServerProcess;
  readonly container: Container;
  /** Returns the port on 127.0.0.1 for a port of the container. */
  port(containerPort: number): number;
  /** Runs a probe once. A container without that probe passes. */
  readonly passes: (probe: Probe | undefined) => Promise<boolean>;
  /**
   * Stops as Kubernetes does: preStop, then SIGTERM. Resolves with the exit code, or rejects after the pod's grace
   * period.
   */
  end(): Promise<number | null>;
}

interface PlannedPod {
  readonly name: string;
  readonly workload: Workload;
  readonly ports: ReadonlyMap<number, number>;
}

/** Gives each pod a name and free ports. A workload without `replicas` gets its autoscaler's minimum of pods. */
export async function planPods(rendered: Rendered): Promise<PlannedPod[]> {
  const pods: PlannedPod[] = [];
  for (const workload of rendered.workloads) {
    const { kind, name, manifest, pod } = workload;
    const scaler = rendered.manifests.find(
      (each) => each.kind === 'HorizontalPodAutoscaler' && each.metadata.name === name,
    );
    const least = scaler?.spec?.['minReplicas'] as number | undefined;
    const count = kind === 'Job' ? 1 : (manifest.spec?.replicas ?? least ?? 1);
    for (let index = 0; index < count; index += 1) {
      const ports = new Map<number, number>();
      for (const { containerPort } of pod.containers.flatMap(({ ports: own = [] }) => own)) {
        ports.set(containerPort, await freePort());
      }
      pods.push({ name: `${name}-${index}`, workload, ports });
    }
  }
  return pods;
}

export async function startPod(
  pod: PlannedPod,
  all: readonly PlannedPod[],
  rendered: Rendered,
  { image, secrets }: Surroundings,
): Promise<{
  readonly containers: readonly RunningContainer[];
  readonly remove: () => Promise<void>;
}> {
  const spec = pod.workload.pod;
  if (spec.initContainers) throw new Error(`${pod.name}: initContainers are not supported`);
  const folder = await temporaryFolder('pod');
  const folders = new Map<string, string>();
  for (const name of pod.workload.volumeNames) {
    const path = join(folder.path, 'volumes', name);
    await mkdir(path, { recursive: true });
    folders.set(name, path);
    const volume = spec.volumes?.find((each) => each.name === name);
    for (const [file, text] of filesOf(volume)) await writeFile(join(path, file), text);
  }
  function filesOf(volume: (typeof spec.volumes & object)[number] | undefined): [string, string][] {
    if (volume?.configMap) {
      return Object.entries(rendered.find('ConfigMap', volume.configMap.name).data ?? {});
    }
    if (!volume?.secret) return [];
    const { secretName, items } = volume.secret;
    const values = secrets[secretName] ?? {};
    if (!items) return Object.entries(values);
    return items.map(({ key, path }) => [path, valueOf(secretName, key, false) ?? '']);
  }
  function valueOf(secret: string, key: string, optional: boolean): string | undefined {
    const value = secrets[secret]?.[key];
    if (value === undefined && !optional) throw new Error(`${pod.name}: no ${key} in ${secret}`);
    return value;
  }

  // Each container has a folder tree with its mounts, so that start.sh finds the neighbouring folders.
  const treeOf = (container: Container) => join(folder.path, container.name);
  for (const container of spec.containers) {
    await mkdir(treeOf(container));
    for (const { mountPath, name } of container.volumeMounts ?? []) {
      const path = join(treeOf(container), mountPath);
      await mkdir(dirname(path), { recursive: true });
      await symlink(folders.get(name) ?? '', path);
    }
  }
  const user = spec.securityContext as { runAsUser: number; runAsGroup: number };
  const isRoot = process.getuid?.() === 0;
  if (isRoot) await own(folder.path, user.runAsUser, user.runAsGroup);

  const containers: RunningContainer[] = [];
  for (const container of spec.containers) {
    const program = programOf(container, image);
    if (program !== null) containers.push(await startContainer(container, program));
  }
  return { containers, remove: () => folder.remove() };

  /** Replaces localhost and the pods' names in the cluster's DNS. Other addresses stay unchanged. */
  function onLoopback(text: string): string {
    return text.replaceAll(
      /([a-z][a-z0-9-]*(?:\.[a-z][a-z0-9-]*)?):(\d+)/g,
      (whole, host, port) => {
        const [name, service] = String(host).split('.');
        const target =
          host === 'localhost'
            ? pod
            : all.find((each) =>
                service === undefined
                  ? each.workload.name === name
                  : each.name === name && each.workload.name === service,
              );
        const mapped = target?.ports.get(Number(port));
        return mapped === undefined ? whole : `127.0.0.1:${mapped}`;
      },
    );
  }

  /**
   * As in Kubernetes, the ConfigMaps come first, then the entries of `env`. A later variable may contain an earlier one
   * as $(NAME).
   */
  function environmentOf(container: Container): Record<string, string> {
    const given: Record<string, string> = {};
    for (const { configMapRef } of container.envFrom ?? []) {
      Object.assign(given, rendered.find('ConfigMap', configMapRef.name).data);
    }
    for (const { name, value, valueFrom } of container.env ?? []) {
      const { secretKeyRef, fieldRef } = valueFrom ?? {};
      if (fieldRef && fieldRef.fieldPath !== 'metadata.name') {
        throw new Error(`${pod.name}: the field ${fieldRef.fieldPath} is not supported`);
      }
      const resolved = secretKeyRef
        ? valueOf(secretKeyRef.name, secretKeyRef.key, secretKeyRef.optional === true)
        : fieldRef
          ? pod.name
          : value?.replaceAll(/\$\((\w+)\)/g, (whole, other: string) => given[other] ?? whole);
      if (resolved !== undefined) given[name] = resolved;
    }
    return given;
  }

  async function startContainer(container: Container, program: Program): Promise<RunningContainer> {
    const tree = treeOf(container);
    const mountPaths = (container.volumeMounts ?? [])
      .map(({ mountPath }) => mountPath.replaceAll('.', '\\.'))
      .join('|');
    const mounted = new RegExp(`(?<![\\w./-])(?:${mountPaths})(?=[/,\\s]|$)`, 'g');
    const onDisk = (text: string) =>
      mountPaths === '' ? text : text.replaceAll(mounted, (path) => join(tree, path));
    const port = (containerPort: number) => {
      const mapped = pod.ports.get(containerPort);
      if (mapped === undefined) throw new Error(`${pod.name} has no port ${containerPort}`);
      return mapped;
    };

    const given = environmentOf(container);
    const env = Object.fromEntries(
      Object.entries(given).map(([name, value]) => [name, onDisk(onLoopback(value))]),
    );

    const { command, cwd, env: ownEnv } = program({ tree, port, env });
    const [first = '', ...args] = command.map(onDisk);
    const server = startProcess(first, args, {
      cwd: cwd ?? tree,
      env: {
        PATH: [dirname(process.execPath), process.env['PATH']].join(':'),
        ...env,
        ...ownEnv,
      },
      ...(isRoot && { uid: user.runAsUser, gid: user.runAsGroup }),
    });

    async function passes(probe: Probe | undefined): Promise<boolean> {
      if (!probe) return true;
      const timeoutMs = 1000 * (probe.timeoutSeconds ?? 1);
      if (probe.httpGet) {
        const { path, port: name } = probe.httpGet;
        const named = container.ports?.find((each) => each.name === name);
        const url = `http://127.0.0.1:${port(named?.containerPort ?? 0)}${path}`;
        return fetch(url, { signal: AbortSignal.timeout(timeoutMs) }).then(
          ({ ok }) => ok,
          () => false,
        );
      }
      const [probed = '', ...words] = probe.exec?.command ?? [];
      if (probed !== 'redis-cli') throw new Error(`the probe ${probed} is not supported`);
      const own = container.ports?.[0]?.containerPort ?? 0;
      const rest = words.map((word) => (word === String(own) ? String(port(own)) : word));
      const { code } = await runChecker(probed, [
        '-h',
        '127.0.0.1',
        '-p',
        String(port(own)),
        ...rest,
      ]);
      return code === 0;
    }

    async function end(): Promise<number | null> {
      const graceMs = 1000 * (spec.terminationGracePeriodSeconds ?? 30);
      const late = new Promise<never>((_, reject) => {
        setTimeout(
          () => reject(new Error(`${pod.name} outlived its grace period`)),
          graceMs,
        ).unref();
      });
      const stop = async () => {
        const [preStop, ...words] = container.lifecycle?.preStop?.exec.command ?? [];
        if (preStop) await runChecker(preStop, words);
        await server.stop('SIGTERM');
        return server.exited;
      };
      return Promise.race([stop(), late]);
    }
    return {
      name: `${pod.name}/${container.name}`,
      pod: pod.name,
      process: server,
      container,
      port,
      passes,
      end,
    };
  }
}

async function own(path: string, uid: number, gid: number): Promise<void> {
  await chown(path, uid, gid);
  for (const entry of await readdir(path, { withFileTypes: true, recursive: true })) {
    if (!entry.isSymbolicLink()) await chown(join(entry.parentPath, entry.name), uid, gid);
  }
}
