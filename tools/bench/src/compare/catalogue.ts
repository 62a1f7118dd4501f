import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommandLineError } from '../command-line.ts';
import type { CommandLine } from './command-line.ts';
import { centrifugoSystem } from './systems/centrifugo.ts';
import { floorSystem } from './systems/floor.ts';
import { hubSystem } from './systems/hub.ts';
import { socketIoSystem } from './systems/socket-io.ts';
import type { System } from './systems/system.ts';
import { dropsWork } from './works/drops.ts';
import { loadWork, type Load } from './works/load.ts';
import { memoryWork, socketsWork, startWork } from './works/memory.ts';
import { rampWork } from './works/ramp.ts';
import { stormWork } from './works/storm.ts';
import type { Work } from './works/work.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));

type SystemOptions = Pick<CommandLine, 'systems' | 'hubFolders' | 'hubProgram' | 'hubFlags'>;

/** Systems are in the order of the report: hubs of other checkouts, this checkout's hub, then peers. */
export function allSystems({ hubFolders, hubProgram, hubFlags }: SystemOptions): System[] {
  const options = { program: hubProgram, nodeFlags: hubFlags };
  const others = hubFolders.map((path) => {
    const folder = resolve(path);
    return hubSystem({ ...options, name: `hub@${basename(folder)}`, folder });
  });
  return [
    ...others,
    hubSystem({ ...options, name: 'hub', folder: root }),
    centrifugoSystem,
    socketIoSystem('streams'),
    socketIoSystem('pubsub'),
    floorSystem,
  ];
}

/**
 * A system that cannot run on this machine is left out, and `tell` is called with the reason.
 * @throws {CommandLineError} for an unknown name
 */
export async function readySystems(
  options: SystemOptions,
  tell: (line: string) => void,
): Promise<System[]> {
  const all = allSystems(options);
  const others = options.hubFolders.length;
  // A checkout on the command line is always measured, even if --against does not name it.
  const wanted = [
    ...all.slice(0, others),
    ...chosen('--against', all.slice(others), options.systems),
  ];
  const ready: System[] = [];
  for (const system of wanted) {
    const missing = (await system.install?.(tell)) ?? null;
    if (missing === null) ready.push(system);
    else tell(`${system.name} is left out: ${missing}`);
  }
  return ready;
}

type WorkOptions = Pick<CommandLine, 'rates' | 'agents' | 'channels' | 'sockets'>;

export function allWorks({ rates, agents, channels, sockets }: WorkOptions): Work[] {
  const loads = (name: string, own: Omit<Load, 'perSecond'>, ownRates: readonly number[]) =>
    (rates ?? ownRates).map((perSecond) =>
      loadWork(`${name} ${perSecond}/s`, {
        agents: agents ?? own.agents,
        channels: channels ?? own.channels,
        perSecond,
      }),
    );
  return [
    ...loads('hall', { agents: 111, channels: 1 }, [1_000, 2_000]),
    ...loads('teams', { agents: 111, channels: 20 }, [4_000]),
    rampWork('limit teams', { agents: 111, channels: 20, perSecond: 2_000 }),
    rampWork('limit hall', { agents: 111, channels: 1, perSecond: 500 }),
    startWork,
    memoryWork,
    socketsWork(sockets),
    dropsWork('drops teams', { agents: 111, channels: 20, perSecond: 400 }),
    dropsWork('drops hall', { agents: 111, channels: 1, perSecond: 200 }),
    stormWork(sockets),
  ];
}

/**
 * Returns all items if no name is given. A name is the whole name of an item, or its first word.
 * @throws {CommandLineError} for an unknown name
 */
export function chosen<T extends { readonly name: string }>(
  option: string,
  all: readonly T[],
  names: readonly string[] | null,
): T[] {
  if (names === null) return [...all];
  return names.flatMap((name) => {
    const found = all.filter((one) => one.name === name || one.name.split(' ')[0] === name);
    if (found.length === 0)
      throw new CommandLineError(`${option}: there is no ${name} (--list shows the names)`);
    return found;
  });
}
