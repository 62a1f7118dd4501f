import { homedir } from 'node:os';
import { join } from 'node:path';

/** Programs of peers that are built or installed once, outside of the tree. */
export const cacheFolder = join(
  process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'),
  'openclaw-chat-hub',
  'bench',
);
