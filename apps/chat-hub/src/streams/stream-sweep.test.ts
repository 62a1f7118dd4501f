import { expect, it } from '@jest/globals';
import { waitFor } from '@openclaw/test-support';
import { pino } from 'pino';
import { agentTimes } from '../agent-times.ts';
import { startStreamSweep } from './stream-sweep.ts';

// The race: a backup is restored under live hubs, and one hub checks the streams before the others
// have reported their authors' connections to the restored database. Invariant: no author that is
// connected counts as away.
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
  // Negative control: in an epoch that has lasted, an author without a connection is away.
  await waitFor(() => checks.at(-1)?.awayMs === 100);
  store.epoch = 'restored';
  await waitFor(() => checks.at(-1)?.epoch === 'restored');
  expect(checks.find(({ epoch }) => epoch === 'restored')?.awayMs).toBeNull();
  await waitFor(() => checks.at(-1)?.awayMs === 100);
  await sweep.close();
});
