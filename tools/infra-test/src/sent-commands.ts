import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from './repository.ts';

// Commands in TypeScript are arrays such as ['DEL', key] or .callEach(['ping']); in Lua redis.call('HSET', …).
const patterns = {
  '.lua': [/redis\.p?call\(\s*'(\w+)'/g],
  '.ts': [/\[\s*'([A-Z]+)'/g, /(?:call|callEach|send)\(\s*\[\s*'(\w+)'/g],
};

// These packages do not use Redis.
const withoutRedis = /^(chat-store|client|protocol)\//;

/** Maps each command in the packages' sources to a file that has it. */
export async function sentCommands(): Promise<Map<string, string>> {
  const commands = new Map<string, string>();
  for (const path of await readdir(join(root, 'packages'), { recursive: true })) {
    const extension = /\/src\/.*?(\.lua|\.ts)$/.exec(path)?.[1] as '.lua' | '.ts' | undefined;
    if (!extension || withoutRedis.test(path) || /\.(test|contract|gen)\.ts$/.test(path)) continue;
    const text = await readFile(join(root, 'packages', path), 'utf8');
    for (const pattern of patterns[extension]) {
      for (const [, command = ''] of text.matchAll(pattern)) {
        commands.set(command.toUpperCase(), path);
      }
    }
  }
  return commands;
}
