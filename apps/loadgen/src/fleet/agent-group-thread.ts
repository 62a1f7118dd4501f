// Runs one group of agents in a worker thread, for agent-group-proxy.ts.
import { parentPort, workerData } from 'node:worker_threads';
import { createAgentGroup, type AgentGroup, type AgentGroupSetup } from './agent-group.ts';
import type { AgentGroupAnswer, AgentGroupCall } from './agent-group-proxy.ts';

const group: AgentGroup = createAgentGroup(workerData as AgentGroupSetup);

parentPort?.on('message', ({ id, method, args }: AgentGroupCall) => {
  const answer = (message: Omit<AgentGroupAnswer, 'id'>) =>
    parentPort?.postMessage({ id, ...message });
  const called = group as unknown as Record<
    string,
    (...args: readonly unknown[]) => Promise<unknown>
  >;
  (called[method]?.(...args) ?? Promise.resolve()).then(
    (result) => answer({ result }),
    (error: unknown) => answer({ error: error instanceof Error ? error.message : String(error) }),
  );
});
