import { fileURLToPath } from 'node:url';
import { hubSystem } from '../compare/systems/hub.ts';
import type { Column, Effort, Measured } from '../compare/works/work.ts';

export interface Series {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly sizes: readonly number[];
  readonly columns: readonly Column[];
  readonly fitted: readonly string[];
  run(size: number, effort: Effort): Promise<Measured>;
}

const folder = fileURLToPath(new URL('../../../..', import.meta.url));

export function ownHub(databaseUrl?: string) {
  return hubSystem({
    name: 'hub',
    folder,
    program: 'apps/chat-hub/src/main.ts',
    nodeFlags: [],
    ...(databaseUrl !== undefined && { databaseUrl }),
  });
}
