import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from './repository.ts';

// In Lua: redis.call('HSET', …). In TypeScript: a command as data, ['DEL', key] or .callEach(['ping']).
const sent = {
  '.lua': /redis\.p?call\(\s*'(\w+)'/g,
  '.ts': /(?:send|call|callEach|pipeline|batch)\(\s*\[+\s*'(\w+)'/g,
};

/** Every Redis command that the source of a package or of the hub names, and a file that names it. */
export async function sentCommands(): Promise<Map<string, string>> {
  const commands = new Map<string, string>();
  for (const folder of ['packages', 'apps/chat-hub']) {
    for (const path of await readdir(join(root, folder), { recursive: true })) {
      const extension = /(?:^|\/)src\/.*?(\.lua|\.ts)$/.exec(path)?.[1];
      if (extension === undefined || /node_modules|\.test\.ts$|\.gen\.ts$/.test(path)) continue;
      const text = await readFile(join(root, folder, path), 'utf8');
      for (const [, command = ''] of text.matchAll(sent[extension as keyof typeof sent])) {
        commands.set(command.toUpperCase(), `${folder}/${path}: ${command.toUpperCase()}`);
      }
    }
  }
  return commands;
}
