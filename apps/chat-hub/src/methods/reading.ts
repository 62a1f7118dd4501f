import { answer, type Handlers } from '../calls/handler.ts';
import { reads, writes, type ReadDeps, type WriteDeps } from './store-methods.ts';

/** Dependencies of the methods of this family. */
export type ReadingDeps = ReadDeps & WriteDeps;

/** read.* and ping. */
export function readingMethods(deps: ReadingDeps) {
  return {
    'read.mark': writes(deps, 'read.mark'),
    'read.state': reads(deps, 'read.state'),
    ping: () => answer({ timestamp: Date.now() }),
  } satisfies Partial<Handlers>;
}
