import { homedir } from 'node:os';
import { join } from 'node:path';

export const cacheFolder = join(
  process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'),
  'openclaw-chat-hub',
  'bench',
);
