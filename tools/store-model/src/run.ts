import type { Envelope } from '@openclaw/protocol';
import type { ChatStore } from '@openclaw/chat-store';
import { callOf, channelOf, type Call, type MadeCall } from './call.ts';
import type { HubProcess } from './hub-process.ts';
import type { History } from './history.ts';
import { callFor, channelIdsOf, type Names, type Step } from './steps.ts';

/** `replace` kills one hub and starts another in its place, on the same database. */
export interface Hubs {
  at(index: number): HubProcess;
  replace(index: number): Promise<void>;
  readonly replacements: number;
}

/** Resolves with the calls that were made on each channel, and with the channel's log at the end. */
export async function play(
  played: readonly Step[],
  names: Names,
  hubs: Hubs,
): Promise<readonly History[]> {
  const made: MadeCall[] = [];
  const known = new Map<string, string[]>();
  const underWay = new Set<Promise<void>>();
  let moment = 0;

  function make(index: number, call: Call): void {
    const hub = hubs.at(index);
    const [beganAt, hubName] = [++moment, `${index}:${hubs.replacements}`];
    const place = made.length;
    const record = (outcome: MadeCall['outcome'], endedAt: number) =>
      void (made[place] = { call, hub: hubName, beganAt, endedAt, outcome });
    record(null, Infinity);
    const ended = hub.append(call.actor, call.method, call.params as never).then(
      (outcome) => {
        const isHeard = outcome.ok || outcome.code !== 'timeout';
        record(isHeard ? outcome : null, isHeard ? ++moment : Infinity);
        if (outcome.ok && 'messageId' in outcome.result) {
          const { messageId } = outcome.result as { messageId: string };
          const ids = known.get(channelOf(call)) ?? [];
          known.set(channelOf(call), ids);
          if (!ids.includes(messageId)) ids.push(messageId);
        }
      },
      (error: unknown) => {
        if (!(error instanceof Error) || error.message !== 'killed') throw error;
      },
    );
    underWay.add(ended);
    void ended.finally(() => underWay.delete(ended)).catch(() => undefined);
  }

  const begin = names.agent('ana');
  names.channels.forEach((channelId, index) =>
    make(
      index,
      callOf(begin, 'channel.create', {
        channelId,
        name: channelId,
        kind: index === 0 ? 'public' : 'private',
      }),
    ),
  );
  await Promise.all(underWay);
  for (const step of played) {
    if (step.kind === 'calls') {
      for (const outline of step.calls) {
        make(
          step.hub,
          callFor(outline, names, (channelId) => known.get(channelId) ?? []),
        );
      }
    } else if (step.kind === 'kill') {
      for (let turn = 0; turn < step.turns; turn++) await new Promise(setImmediate);
      await hubs.replace(step.hub);
    }
    if (step.kind === 'settle' || underWay.size > 60) await Promise.all(underWay);
  }
  await Promise.all(underWay);
  return Promise.all(
    channelIdsOf(names).map(async (channelId) => ({
      channelId,
      calls: made.filter(({ call }) => channelOf(call) === channelId),
      log: await readLog(hubs.at(0), channelId),
    })),
  );
}

async function readLog(store: Pick<ChatStore, 'logPage'>, channelId: string): Promise<Envelope[]> {
  const { events } = await store.logPage(channelId, 0, 10_000, 2 ** 30);
  return events.map(({ json }) => JSON.parse(json) as Envelope);
}
