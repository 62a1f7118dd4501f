import { setTimeout as delay } from 'node:timers/promises';
import { demoChannels, type DemoChannel } from './channels.ts';
import { startErrands } from './errands.ts';
import { connectFleet } from './fleet.ts';
import { createPace, noPace } from './pace.ts';
import { playScene, type PlayDeps } from './play-scene.ts';
import { createRandomness } from './randomness.ts';
import { repeatUntilAborted } from './repeat.ts';
import { startResponder } from './responder.ts';
import { retryWhileBusy } from './retry.ts';
import type { Scene } from './scene.ts';
import { allScenes } from './scenes/all-scenes.ts';

export interface Demo {
  readonly scenesPlayed: number;
  readonly answers: number;
  readonly asksDone: number;
  close(): Promise<void>;
}

export interface DemoOptions {
  readonly url: string;
  readonly agents: number;
  /** At 1 a person can follow the conversation; 2 is twice as fast. */
  readonly pace: number;
  /** The same seed gives the same scenes, apart from answers to people. */
  readonly seed: number;
  readonly onError: (error: unknown) => void;
}

const parallelScenes = 3;
/** After a person wrote in a channel, no scene begins there for this long. */
const quietAfterPersonMs = 15_000;
const noScenePauseMs = 2_000;
/** A channel with fewer events is filled with some scenes at the start. */
const fewEvents = 40;
const openingScenes = 3;

/** Connects the fleet, fills new channels and starts to play. Rejects with HubError when it cannot begin. */
export async function startDemo(options: DemoOptions): Promise<Demo> {
  const stop = new AbortController();
  const { signal } = stop;
  const { url, agents, onError } = options;
  const random = createRandomness(options.seed);
  const fleet = await connectFleet({ url, size: agents, signal });
  const responder = startResponder({ fleet, random, signal, onError });
  const pace = createPace(options.pace, random);
  const deps: PlayDeps = { fleet, random, pace, signal };
  const busyChannels = new Set<string>();
  let scenesPlayed = 0;

  const play = async (scene: Scene, playDeps: PlayDeps) => {
    await playScene(scene, playDeps);
    scenesPlayed += 1;
  };

  async function setStatuses(): Promise<void> {
    await Promise.all(
      fleet.agents.map((agent) => {
        const status = random.pick(agent.persona.statuses);
        return retryWhileBusy(() => agent.setStatus('online', status), signal);
      }),
    );
  }

  async function fillChannel(demoChannel: DemoChannel): Promise<void> {
    const members = fleet.agentsIn(demoChannel);
    const [agent] = members;
    if (!agent) return;
    const { channelId } = demoChannel;
    const { channel } = await retryWhileBusy(() => agent.client.channel(channelId).get(), signal);
    // Each member adds two events to the log: the join and the display name.
    if (channel.head > members.length * 2 + fewEvents) return;
    const here = allScenes.filter((scene) => demoChannels[scene.channel].channelId === channelId);
    for (const scene of random.some(here, openingScenes))
      await play(scene, { ...deps, pace: noPace }).catch(onError);
  }

  function nextScene(): Scene | null {
    const free = allScenes.filter(({ channel }) => {
      const { channelId } = demoChannels[channel];
      const quietFromMs = responder.lastMessageAtMs(channelId) + quietAfterPersonMs;
      return !busyChannels.has(channelId) && quietFromMs < Date.now();
    });
    return free.length > 0 ? random.pick(free) : null;
  }

  async function playNextScene(): Promise<void> {
    const scene = nextScene();
    if (scene === null) {
      await delay(noScenePauseMs, undefined, { signal });
      return;
    }
    const { channelId } = demoChannels[scene.channel];
    busyChannels.add(channelId);
    try {
      await play(scene, deps);
      await delay(pace.gapMs() * 2, undefined, { signal });
    } finally {
      busyChannels.delete(channelId);
    }
  }

  try {
    await setStatuses();
    await Promise.all(Object.values<DemoChannel>(demoChannels).map(fillChannel));
  } catch (error) {
    stop.abort();
    await fleet.close();
    throw error;
  }
  const errands = startErrands({ ...deps, onError });
  const playing = Array.from({ length: parallelScenes }, () =>
    repeatUntilAborted(playNextScene, { signal, onError }),
  );
  return {
    get scenesPlayed() {
      return scenesPlayed;
    },
    get answers() {
      return responder.answers;
    },
    get asksDone() {
      return errands.done;
    },
    async close() {
      stop.abort();
      responder.close();
      await Promise.all([...playing, errands.close()]);
      await fleet.close();
    },
  };
}
