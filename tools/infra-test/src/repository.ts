import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';

export const root = resolve(fileURLToPath(import.meta.url), '../../../..');

export function readText(path: string): Promise<string> {
  return readFile(join(root, path), 'utf8');
}

export async function readYaml<T>(path: string): Promise<T> {
  return parse(await readText(path), { merge: true }) as T;
}

export async function readYamlDocuments<T>(path: string): Promise<T[]> {
  return parseAllDocuments(await readText(path)).map((document) => {
    if (document.errors.length > 0) throw new Error(`${path}: ${document.errors.join('; ')}`);
    return document.toJS() as T;
  });
}
