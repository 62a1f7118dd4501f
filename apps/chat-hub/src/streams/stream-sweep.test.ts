import { expect, it } from '@jest/globals';
import { waitFor } from '@openclaw/test-support';
import { pino } from 'pino';
import { agentTimes } from '../agent-times.ts';
import { startStreamSweep } from './stream-sweep.ts';

// The race: a backup is restored while hubs run. One hub checks the streams before the other hubs have reported to the
// restored database that the authors are connected. Invariant: no connected author counts as away.
it('gives the other hubs time to report their authors in a restored database', async () => {
  const checks: { readonly epoch: string; readonly awayMs: number | null }[] = [];
  const store = {
    epoch: 'first',
    readStreamAuthors: async () => ['ana'],
    keepStreams: async () => undefined,
    async sweepStreams({ awayMs }: { readonly awayMs: number | null }) {
      checks.push({ epoch: store.epoch, awayMs });
      return [];
    },
  };
  const sweep = startStreamSweep({
    ...{ store, writer: { publishAll: () => undefined }, isConnected: () => false },
    times: { ...agentTimes, streamAwayMs: 100, streamCheckMs: 5 },
    log: pino({ level: 'silent' }),
  });
  // Negative control: when an epoch has lasted for some time, an author without a connection is away.
  await waitFor(() => checks.at(-1)?.awayMs === 100);
  store.epoch = 'restored';
  await waitFor(() => checks.at(-1)?.epoch === 'restored');
  expect(checks.find(({ epoch }) => epoch === 'restored')?.awayMs).toBeNull();
  await waitFor(() => checks.at(-1)?.awayMs === 100);
  await sweep.close();
});

// The race: an agent is frozen while its hub checks the streams. The fault: the hub found the freeze only at its next
// regular check.
it('checks once more when it is asked to during a check', async () => {
  const sweeps: PromiseWithResolvers<void>[] = [];
  const sweep = startStreamSweep({
    store: {
      epoch: 'first',
      readStreamAuthors: async () => ['ana'],
      keepStreams: async () => undefined,
      async sweepStreams() {
        const gate = Promise.withResolvers<void>();
        sweeps.push(gate);
        await gate.promise;
        return [];
      },
    },
    ...{ writer: { publishAll: () => undefined }, isConnected: () => true },
    times: agentTimes,
    log: pino({ level: 'silent' }),
  });
  sweep.now();
  await waitFor(() => sweeps.length === 1);
  for (let n = 0; n < 3; n += 1) sweep.now();
  sweeps[0]?.resolve();
  await waitFor(() => sweeps.length === 2);
  sweeps[1]?.resolve();
  await sweep.close();
  expect(sweeps).toHaveLength(2);
});
