import {
  startSentinel,
  waitFor,
  type RedisServer,
  type SentinelDeployment,
} from '@openclaw/test-support';
import { deliverySuite, type Fault, type Topology } from './delivery.contract.ts';

interface Sentinels extends Topology {
  readonly deployment: SentinelDeployment;
  fallen: RedisServer | undefined;
}

async function failedOver({ deployment, fallen }: Sentinels): Promise<void> {
  if (fallen) await deployment.failedOver(fallen.port);
}

/** Another failover can succeed only once the old master follows the new one. */
async function rejoined({ fallen }: Sentinels): Promise<void> {
  await waitFor(
    async () =>
      /role:slave[\s\S]*master_link_status:up/.test(
        (await fallen?.command('INFO replication').catch(() => '')) ?? '',
      ),
    { what: 'the old master as a replica', timeoutMs: 30_000, everyMs: 100 },
  );
}

const faults: Fault<Sentinels>[] = [
  {
    title: 'a kill -9 of the master',
    cutOff: [0, 1],
    async strike(topology) {
      topology.fallen = await topology.deployment.killMaster();
    },
    recover: failedOver,
    async mend(topology) {
      await topology.fallen?.restart();
      await rejoined(topology);
    },
  },
  {
    title: 'a frozen (SIGSTOP) master, which later thaws',
    cutOff: [0, 1],
    async strike(topology) {
      topology.fallen = await topology.deployment.freezeMaster();
    },
    recover: failedOver,
    async mend(topology) {
      topology.fallen?.thaw();
      await rejoined(topology);
    },
  },
];

deliverySuite<Sentinels>(
  'Sentinel (a master, two replicas, three sentinels)',
  async () => {
    const deployment = await startSentinel();
    const sentinels = deployment.sentinels.map(({ host, port }) => `${host}:${port}`).join();
    return {
      deployment,
      fallen: undefined,
      env: { CHAT_REDIS_SENTINELS: sentinels, CHAT_REDIS_SENTINEL_NAME: deployment.name },
      stop: () => deployment.stop(),
    };
  },
  faults,
);
