import type { SessionBench } from './session-bench.ts';

/** Publishes more than the hub keeps for a peer that does not read, and more than a room remembers. Returns the last seq. */
export async function fallBehind({ peer, publish, session, turn }: SessionBench): Promise<number> {
  peer.isReading = false;
  while (!session.isLagging) {
    publish(10, 60_000);
    await turn();
  }
  const last = publish(40, 60_000);
  await turn();
  return last;
}
