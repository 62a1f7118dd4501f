import { setTimeout as delay } from 'node:timers/promises';
import { dialects, type DialectName } from '../dialects/dialects.ts';
import { channelsOf } from './channels.ts';
import { connectWhenAdmitted } from './admission.ts';
import { createClient, type Client } from './client.ts';
import {
  createInterruptedLoad,
  type DropPlan,
  type InterruptedPlan,
  type InterruptedResult,
} from './interrupted-load.ts';
import {
  createSteadyLoad,
  type LoadPlan,
  type LoadResult,
  type SteadyLoad,
} from './steady-load.ts';

export interface FleetSetup {
  readonly dialect: DialectName;
  readonly ports: readonly number[];
  readonly members: readonly { readonly agentId: string; readonly channelIds: readonly string[] }[];
  /** True if connections will be interrupted. Clients then read frames, because they must know their positions. */
  readonly readsFrames: boolean;
}

export interface Incidents {
  readonly refused: number;
  readonly firstRefusal: string | null;
  /** Counts closed connections that the client did not cut. */
  readonly closes: number;
}

export interface Fleet {
  connect(): Promise<void>;
  runLoad(plan: LoadPlan): Promise<LoadResult>;
  runDrops(plan: DropPlan): Promise<InterruptedResult>;
  /** Lets the clients reconnect by themselves from now on, and sends until {@link Fleet.finishSending}. */
  beginSending(plan: InterruptedPlan): Promise<void>;
  /** Resolves when each client has lost its connection and has reconnected. Rejects after `timeoutMs`. */
  untilAllBack(timeoutMs: number): Promise<void>;
  finishSending(): Promise<InterruptedResult>;
  incidents(): Promise<Incidents>;
  close(): Promise<void>;
}

const connectingAtOnce = 20;

export function createFleet(setup: FleetSetup): Fleet {
  let steady: SteadyLoad | null = null;
  let nextIndex = 0;
  let refused = 0;
  let firstRefusal: string | null = null;

  const events = {
    onDelivery(client: Client, index: number, sentMicros: number) {
      if (steady === null) interrupted.onDelivery(client, index);
      else steady.onDelivery(client, index, sentMicros);
    },
    onAccepted: (index: number) => interrupted.onAccepted(index),
    onRefused(answer: string) {
      refused += 1;
      firstRefusal ??= answer.slice(0, 500);
    },
    onPositionLost: () => interrupted.onPositionLost(),
  };
  const clients = setup.members.map((member, at) =>
    createClient(
      {
        ...member,
        dialect: dialects[setup.dialect],
        port: setup.ports[at % setup.ports.length] ?? 0,
        readsFrames: setup.readsFrames,
      },
      events,
    ),
  );
  const channels = channelsOf(clients);
  const interrupted = createInterruptedLoad(setup.readsFrames ? clients : [], channels);
  const closes = () => clients.reduce((sum, client) => sum + client.closes, 0);

  return {
    async connect() {
      let next = 0;
      const work = async () => {
        for (let client = clients[next++]; client; client = clients[next++])
          await connectWhenAdmitted(client);
      };
      await Promise.all(Array.from({ length: connectingAtOnce }, work));
    },
    async runLoad(plan) {
      steady = createSteadyLoad(clients, channels, nextIndex, plan);
      const result = await steady.run();
      nextIndex += result.sent;
      return result;
    },
    runDrops: (plan) => interrupted.runDrops(plan),
    async beginSending(plan) {
      for (const client of clients) client.stayConnected();
      interrupted.begin(plan);
    },
    async untilAllBack(timeoutMs) {
      const endMs = performance.now() + timeoutMs;
      const away = () => clients.filter(({ isReady, closes }) => !isReady || closes === 0).length;
      while (away() > 0) {
        if (performance.now() > endMs)
          throw new Error(`${away()} clients were not back after ${timeoutMs} ms`);
        await delay(10);
      }
    },
    finishSending: () => interrupted.finish(),
    incidents: async () => ({ refused, firstRefusal, closes: closes() }),
    close: async () => void (await Promise.all(clients.map((client) => client.close()))),
  };
}
