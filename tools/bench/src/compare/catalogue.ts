import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CommandLine } from './command-line.ts';
import { hubSystem } from './systems/hub.ts';
import type { System } from './systems/system.ts';
import { loadWork, type Load } from './works/load.ts';
import type { Work } from './works/work.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));

type HubOptions = Pick<CommandLine, 'hubFolders' | 'hubProgram' | 'hubFlags'>;

/** All systems: this checkout's hub, other checkouts' hubs, and peers. */
export function allSystems({ hubFolders, hubProgram, hubFlags }: HubOptions): System[] {
  const hubs = [
    { name: 'hub', folder: root },
    ...hubFolders.map((folder) => ({
      name: `hub@${basename(resolve(folder))}`,
      folder: resolve(folder),
    })),
  ];
  return hubs.map((hub) => hubSystem({ ...hub, program: hubProgram, nodeFlags: hubFlags }));
}

type WorkOptions = Pick<CommandLine, 'rates' | 'agents' | 'channels'>;

/** All works, the loads with the numbers of the command line. */
export function allWorks({ rates, agents, channels }: WorkOptions): Work[] {
  const loads = (name: string, own: Load, ownRates: readonly number[]) =>
    (rates ?? ownRates).map((perSecond) =>
      loadWork(`${name} ${perSecond.toLocaleString('en')}/s`, {
        agents: agents ?? own.agents,
        channels: channels ?? own.channels,
        perSecond,
      }),
    );
  return [
    ...loads('hall', { agents: 111, channels: 1, perSecond: 0 }, [1_000, 2_000]),
    ...loads('teams', { agents: 111, channels: 20, perSecond: 0 }, [4_000]),
  ];
}

/** A work is chosen by its whole name or by its first word. */
export function chosen<T extends { readonly name: string }>(
  all: readonly T[],
  names: readonly string[] | null,
): T[] {
  if (names === null) return [...all];
  return names.flatMap((name) =>
    all.filter((one) => [one.name, one.name.split(' ')[0]].includes(name)),
  );
}
