import { waitFor } from '@openclaw/test-support';
import { renderOverlay, type Overlay } from '../manifests.ts';
import { planPods, startPod, type RunningContainer, type Surroundings } from './pod-processes.ts';

/** The containers have passed their own probes. `await using` stops them. */
export interface RunningOverlay extends AsyncDisposable {
  readonly containers: readonly RunningContainer[];
  named(name: string): RunningContainer[];
  stop(): Promise<void>;
}

/**
 * Runs the overlay's containers as local processes. Waits until each passes its startup and readiness probes, and
 * each Job has ended with 0. Rejects with the output of a process that ends early.
 */
export async function runOverlay(
  overlay: Overlay,
  surroundings: Surroundings,
): Promise<RunningOverlay> {
  const rendered = await renderOverlay(overlay);
  const plan = await planPods(rendered);
  const removals: (() => Promise<void>)[] = [];
  const containers: RunningContainer[] = [];
  async function stop() {
    await Promise.all(containers.map(({ process }) => process.stop('SIGKILL')));
    await Promise.all(removals.map((remove) => remove()));
  }
  try {
    for (const pod of plan) {
      const started = await startPod(pod, plan, rendered, surroundings);
      removals.push(started.remove);
      containers.push(...started.containers);
    }
    await Promise.all(
      containers.map((each) =>
        each.pod.startsWith('redis-cluster-create') ? ended(each) : ready(each),
      ),
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    containers,
    named: (name) => containers.filter(({ container }) => container.name === name),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function ended({ name, process }: RunningContainer): Promise<void> {
  const code = await process.exited;
  if (code !== 0) throw new Error(`${name} ended with ${code}:\n${process.output()}`);
}

async function ready({ name, process, container, passes }: RunningContainer): Promise<void> {
  let hasExited = false;
  void process.exited.then(() => (hasExited = true));
  const { startupProbe, readinessProbe } = container;
  for (const probe of [startupProbe, readinessProbe]) {
    await waitFor(
      async () => {
        if (hasExited) throw new Error(`${name} ended:\n${process.output()}`);
        return passes(probe);
      },
      { what: `${name}: ${process.output().slice(-2_000)}`, timeoutMs: 90_000, everyMs: 200 },
    );
  }
}
