import { setTimeout as delay } from 'node:timers/promises';
import { payAttention } from './attention.ts';
import { persist } from './persist.ts';
import { places, type Place } from './places.ts';
import { playScene, type Production } from './play.ts';
import { createRandomness } from './randomness.ts';
import type { Scene } from './scene.ts';
import { allScenes } from './scenes/all-scenes.ts';
import { createTempo, noTempo } from './tempo.ts';
import { gatherTroupe } from './troupe.ts';

/** A fleet of agents that work and talk in a hub until it is closed. */
export interface DemoFleet {
  /** Messages, edits and all else are in the hub; these say how far it got. */
  readonly scenesPlayed: number;
  readonly answers: number;
  close(): Promise<void>;
}

/** Options of {@link startDemoFleet}. */
export interface DemoFleetOptions {
  /** A hub with dev sign-in. */
  readonly url: string;
  readonly agents: number;
  /** 1 can be read along with; 2 is twice as fast. */
  readonly pace: number;
  /** The same seed, the same play (but for what people do). */
  readonly seed: number;
  /** Told what could not be done; the fleet goes on. */
  readonly onTrouble: (error: unknown) => void;
}

/** Conversations at once, each in a channel of its own. */
const stages = 3;
/** How long no new conversation begins where a person has just written. */
const courtesyMs = 15_000;
/** Before the next try after something failed. */
const restMs = 2_000;
/** A channel with fewer events gets something to read at once. */
const fewEvents = 40;
const openingScenes = 3;

/** Connects the fleet, fills new channels, and plays on. Rejects with HubError when it cannot begin. */
export async function startDemoFleet(options: DemoFleetOptions): Promise<DemoFleet> {
  const stop = new AbortController();
  const { signal } = stop;
  const random = createRandomness(options.seed);
  const { url, agents } = options;
  const troupe = await gatherTroupe({ url, agents, signal });
  const { onTrouble } = options;
  const attention = payAttention({ troupe, random, signal, onTrouble });
  const tempo = createTempo(options.pace, random);
  const production: Production = { troupe, random, tempo, signal };
  const onStage = new Set<string>();
  let scenesPlayed = 0;

  const play = async (scene: Scene, how: Production) => {
    await playScene(scene, how);
    scenesPlayed += 1;
  };

  async function introduceThemselves(): Promise<void> {
    await Promise.all(
      troupe.actors.map((actor) => {
        const doing = random.pick(actor.member.statuses);
        return persist(() => actor.is('online', doing), signal);
      }),
    );
  }

  async function openPlace(place: Place): Promise<void> {
    const [actor] = troupe.of(place);
    if (!actor) return;
    const { channelId } = place;
    const { channel } = await persist(() => actor.client.channel(channelId).get(), signal);
    const joins = troupe.of(place).length * 2;
    if (channel.head > joins + fewEvents) return;
    const here = allScenes.filter((scene) => places[scene.place].channelId === channelId);
    for (const scene of random.some(here, openingScenes))
      await play(scene, { ...production, tempo: noTempo }).catch(onTrouble);
  }

  function nextScene(): Scene | null {
    const isFree = ({ place }: Scene) => {
      const { channelId } = places[place];
      return !onStage.has(channelId) && attention.heardAtMs(channelId) + courtesyMs < Date.now();
    };
    const free = allScenes.filter(isFree);
    return free.length > 0 ? random.pick(free) : null;
  }

  async function runStage(): Promise<void> {
    while (!signal.aborted) {
      const scene = nextScene();
      const channelId = scene && places[scene.place].channelId;
      try {
        if (scene === null || channelId === null) {
          await delay(restMs, undefined, { signal });
          continue;
        }
        onStage.add(channelId);
        await play(scene, production);
        await delay(tempo.gapMs() * 2, undefined, { signal });
      } catch (error) {
        if (signal.aborted) return;
        onTrouble(error);
        await delay(restMs, undefined, { signal }).catch(() => undefined);
      } finally {
        if (channelId !== null) onStage.delete(channelId);
      }
    }
  }

  try {
    await introduceThemselves();
    await Promise.all(Object.values<Place>(places).map(openPlace));
  } catch (error) {
    stop.abort();
    await troupe.close();
    throw error;
  }
  const running = Array.from({ length: stages }, runStage);
  return {
    get scenesPlayed() {
      return scenesPlayed;
    },
    get answers() {
      return attention.answers;
    },
    async close() {
      stop.abort();
      attention.close();
      await Promise.all(running);
      await troupe.close();
    },
  };
}
