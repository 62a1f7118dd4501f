import { readFileSync, statSync } from 'node:fs';
import { RedisClientError } from './errors.ts';
import type { RedisNode } from './options.ts';

const maxFileBytes = 1024 * 1024;

export function invalid(name: string, problem: string): RedisClientError {
  return new RedisClientError('invalid_options', `${name} ${problem}`);
}

/** Undefined for any other text. */
export function parseSwitch(text: string): boolean | undefined {
  if (['true', '1', 'yes', 'on'].includes(text.toLowerCase())) return true;
  if (['false', '0', 'no', 'off'].includes(text.toLowerCase())) return false;
  return undefined;
}

/** Errors do not quote the content of the file. */
function readWhole(path: string): string {
  // Reading a pipe or a device could wait forever.
  const found = statSync(path);
  if (!found.isFile()) throw new Error('it is not a regular file');
  if (found.size > maxFileBytes) throw new Error('it has more than 1 MiB');
  return readFileSync(path, 'utf8');
}

/** Each function throws `invalid_options` with the variable's name, never its value. */
export function createSettingReader(env: Readonly<Record<string, string | undefined>>) {
  const read = (name: string) => env[name]?.trim() || undefined;

  function readFile(name: string): string | undefined {
    const path = read(name);
    if (path === undefined) return undefined;
    try {
      return readWhole(path);
    } catch (error) {
      // A system error quotes the path, which may be a secret in the wrong variable.
      const { code, message } = error as NodeJS.ErrnoException;
      throw invalid(name, `names a file that cannot be read: ${code ?? message}`);
    }
  }

  /** Reads the variable, or the file that `${name}_FILE` names. A value is not trimmed. */
  function readSecret(name: string): string | undefined {
    // A line break at the end belongs to the file, not to the secret.
    const text = readFile(`${name}_FILE`)?.replace(/\r?\n$/, '');
    if (text === undefined) return env[name] || undefined;
    if (env[name]) throw invalid(`${name}_FILE`, `and ${name} exclude each other`);
    if (text === '') throw invalid(`${name}_FILE`, 'names an empty file');
    return text;
  }

  function readInteger(name: string, min: number, what: string, max = 65_535): number | undefined {
    const text = read(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) throw invalid(name, `is not ${what}`);
    return value;
  }

  function readSwitch(name: string): boolean | undefined {
    const text = read(name);
    if (text === undefined) return undefined;
    const value = parseSwitch(text);
    if (value === undefined) throw invalid(name, 'is neither true nor false');
    return value;
  }

  function readNode(text: string): RedisNode | null {
    const [, host, port] = /^\s*(?:\[?([^\s,\]]+?)\]?):(\d+)\s*$/.exec(text) ?? [];
    return host && port && Number(port) >= 1 && Number(port) <= 65_535
      ? { host, port: Number(port) }
      : null;
  }

  function readNodes(name: string): RedisNode[] | undefined {
    return read(name)
      ?.split(',')
      .map((text) => {
        const node = readNode(text);
        if (!node) throw invalid(name, 'is not host:port,host:port,…');
        return node;
      });
  }

  function readNatMap(name: string): Record<string, RedisNode> | undefined {
    const pairs = read(name)
      ?.split(',')
      .map((text) => {
        const [announced, reachable, ...rest] = text.split('=').map(readNode);
        if (!announced || !reachable || rest.length > 0)
          throw invalid(name, 'is not host:port=host:port,…, announced and reachable address');
        return [`${announced.host}:${announced.port}`, reachable] as const;
      });
    return pairs && Object.fromEntries(pairs);
  }

  return { read, readFile, readSecret, readInteger, readSwitch, readNodes, readNatMap };
}
