import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  allowedElsewhere,
  startChatTraffic,
  startHubPair,
  untilPresenceIsWhole,
  untilRedisIs,
  untilTopicsPass,
  type ChatTraffic,
  type HubPair,
  type HubProcess,
} from '@openclaw/test-support';
import { openQuietChannel, type QuietChannel } from './quiet-channel.contract.ts';

export interface Topology {
  readonly env: Readonly<Record<string, string>>;
  /** These variables replace those in `env` for the second hub. */
  readonly second?: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export interface Fault<T extends Topology> {
  /** Completes the test's title after "deliver once and in order through". */
  readonly title: string;
  /** The hubs with these indices lose Redis, and must report the loss. */
  readonly cutOff: readonly number[];
  strike(topology: T, at: FaultScene): Promise<void>;
  /** Resolves when a Redis server can serve every hub again. */
  recover?(topology: T, at: FaultScene): Promise<void>;
  mend?(topology: T): Promise<void>;
  /** The longest time from acknowledgement to delivery. @default 4000 */
  readonly delayMs?: number;
  /** The longest time from the recovery until presence is complete and topics work on both hubs. @default 8000 */
  readonly recoveredMs?: number;
}

export interface FaultScene {
  readonly traffic: ChatTraffic;
  readonly hubs: readonly [HubProcess, HubProcess];
}

const reactionLimit = 30;
const env = { HUB_LIMIT_MESSAGE: '100000/60', HUB_LIMIT_REACTION: `${reactionLimit}/60` };
/** An idle machine would need less time, but other tests share the machine. */
const bounds = { noticedMs: 4_000, delayMs: 4_000, recoveredMs: 8_000 };

export function deliverySuite<T extends Topology>(
  name: string,
  start: () => Promise<T>,
  faults: readonly Fault<T>[],
): void {
  describe(`two hubs on ${name} deliver once and in order through`, () => {
    let topology: T;
    let pair: HubPair;
    let traffic: ChatTraffic;
    let quiet: QuietChannel;
    let run = 0;

    beforeAll(async () => {
      topology = await start();
      pair = await startHubPair({ ...topology.env, ...env }, topology.second);
      await untilRedisIs('used', pair.hubs);
    }, 90_000);
    beforeEach(async () => {
      run += 1;
      traffic = await startChatTraffic(pair.hubs, { name: `run${run}` });
      quiet = await openQuietChannel(traffic, `quiet${run}`);
      await untilTopicsPass(traffic);
      await untilPresenceIsWhole(traffic);
    });
    afterEach(() => traffic?.close());
    afterAll(async () => {
      await pair?.stop();
      await topology?.stop();
    });

    it.each(faults.map((fault) => [fault.title, fault] as const))(
      '%s',
      async (title, fault) => {
        const scene: FaultScene = { traffic, hubs: pair.hubs };
        const cutOff = fault.cutOff.map((at) => pair.hubs[at] as HubProcess);
        await traffic.moreAcks(40);
        await quiet.fillCaches();

        traffic.resetDelay();
        const struckMs = performance.now();
        await fault.strike(topology, scene);
        const strikeMs = since(struckMs);
        await untilRedisIs('away', cutOff);
        const noticedMs = cutOff.length > 0 ? since(struckMs) : 0;
        // Invariants: messages are delivered through the log, and no cache serves the state from before
        // `quiet.change`.
        await traffic.moreAcks(150);
        await quiet.change();
        expect(await quiet.staleReads()).toEqual([]);

        await fault.recover?.(topology, scene);
        const recoveringMs = performance.now();
        await untilRedisIs('used', pair.hubs);
        const usedMs = since(recoveringMs);
        await Promise.all([untilTopicsPass(traffic), untilPresenceIsWhole(traffic)]);
        const recoveredMs = since(recoveringMs);
        expect(await quiet.staleReads()).toEqual([]);
        const allowed = await allowedElsewhere(
          pair.hubs,
          { ...quiet.newest(), agentId: `limited${run}` },
          reactionLimit,
        );
        await traffic.moreAcks(20);
        const violations = await traffic.stop();
        const delayMs = traffic.worstDelayMs;

        const measured = { strikeMs, noticedMs, delayMs, usedMs, recoveredMs };
        process.stderr.write(
          `[recovery] ${JSON.stringify({ topology: name, fault: title, acked: traffic.ackedCount, ...measured })}\n`,
        );
        expect(violations).toEqual([]);
        expect([...traffic.refusals]).toEqual([]);
        expect(allowed).toBeLessThan(reactionLimit / 2);
        expect(noticedMs - strikeMs).toBeLessThan(bounds.noticedMs);
        expect(delayMs).toBeLessThan(fault.delayMs ?? bounds.delayMs);
        expect(recoveredMs).toBeLessThan(fault.recoveredMs ?? bounds.recoveredMs);
        await fault.mend?.(topology);
      },
      120_000,
    );
  });
}

const since = (startMs: number) => Math.round(performance.now() - startMs);
