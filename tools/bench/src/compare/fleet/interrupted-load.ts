import { setTimeout as delay } from 'node:timers/promises';
import { connectWhenAdmitted } from './admission.ts';
import { channelOf, publish, type Channel } from './channels.ts';
import type { Client } from './client.ts';
import { atPace } from './pace.ts';
import { createReceived } from './received.ts';

export interface InterruptedPlan {
  readonly perSecond: number;
  readonly contentBytes: number;
  readonly drainMs: number;
}

/** Every second client loses its connection once, at a random time. */
export interface DropPlan extends InterruptedPlan {
  readonly durationMs: number;
  readonly awayMs: readonly [least: number, most: number];
}

/** Counts only messages that the server accepted. */
export interface InterruptedResult {
  readonly accepted: number;
  readonly lost: number;
  readonly doubled: number;
  readonly cuts: number;
  /** Counts how often the server could not deliver a client's missed messages. */
  readonly positionsLost: number;
}

export interface InterruptedLoad {
  onDelivery(client: Client, index: number): void;
  onAccepted(index: number): void;
  onPositionLost(): void;
  /** Cuts every second client of each channel, and lets it reconnect. The others send. */
  runDrops(plan: DropPlan): Promise<InterruptedResult>;
  /** Sends until {@link InterruptedLoad.finish}, from any client that is connected. */
  begin(plan: InterruptedPlan): void;
  finish(): Promise<InterruptedResult>;
}

/** Even in its longest run, the work `storm` sends fewer messages than this. */
const maxMessages = 100_000;
const quietMs = 1_000;

export function createInterruptedLoad(
  clients: readonly Client[],
  channels: readonly Channel[],
): InterruptedLoad {
  const accepted = new Set<number>();
  const received = new Map(clients.map((client) => [client, createReceived(maxMessages)]));
  let cuts = 0;
  let positionsLost = 0;
  let isFinished = false;
  let sending: Promise<void> = Promise.resolve();
  let drainMs = 0;

  function lostDeliveries(): number {
    let lost = 0;
    for (const index of accepted) {
      for (const member of channelOf(channels, index).members)
        if (!received.get(member)?.has(index)) lost += 1;
    }
    return lost;
  }

  /** The last acknowledgements and deliveries may come late, so this function waits before it counts losses. */
  async function result(): Promise<InterruptedResult> {
    const endMs = performance.now() + drainMs;
    await delay(quietMs);
    while (lostDeliveries() > 0 && performance.now() < endMs) await delay(100);
    return {
      accepted: accepted.size,
      lost: lostDeliveries(),
      doubled: [...received.values()].reduce((sum, one) => sum + one.doubled, 0),
      cuts,
      positionsLost,
    };
  }

  async function drop(client: Client, plan: DropPlan) {
    const [least, most] = plan.awayMs;
    const awayMs = least + Math.random() * (most - least);
    await delay(Math.random() * Math.max(0, plan.durationMs - most));
    await client.cut();
    cuts += 1;
    await delay(awayMs);
    await connectWhenAdmitted(client);
  }

  return {
    onDelivery: (client, index) => void received.get(client)?.add(index),
    onAccepted: (index) => void accepted.add(index),
    onPositionLost: () => void (positionsLost += 1),
    async runDrops(plan) {
      ({ drainMs } = plan);
      // Each channel keeps members that can send.
      const toCut = new Set(
        channels.flatMap(({ members }) => members.filter((_, at) => at % 2 === 1)),
      );
      const count = Math.ceil((plan.durationMs * plan.perSecond) / 1_000);
      await Promise.all([
        atPace(plan.perSecond, count, (index) => {
          publish(channels, index, plan.contentBytes, (client) => !toCut.has(client));
        }),
        ...[...toCut].map((client) => drop(client, plan)),
      ]);
      return result();
    },
    begin(plan) {
      ({ drainMs } = plan);
      const send = async () => {
        for (let index = 0; !isFinished && index < maxMessages; index += 1) {
          publish(channels, index, plan.contentBytes);
          await delay(1_000 / plan.perSecond);
        }
      };
      sending = send();
    },
    async finish() {
      isFinished = true;
      await sending;
      return result();
    },
  };
}
