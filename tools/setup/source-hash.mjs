// Hashes source files. Builds are named or stamped by the hash, because file times mean nothing after a checkout.
// This file must be plain JavaScript for Node 20.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const notSources = /^(node_modules|dist|\..*|.*\.(test|contract)\.tsx?)$/;

function filesAt(root, path) {
  const whole = join(root, path);
  if (!existsSync(whole)) return [];
  if (!statSync(whole).isDirectory()) return [path];
  return readdirSync(whole, { withFileTypes: true })
    .filter(({ name }) => !notSources.test(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const below = `${path}/${entry.name}`;
      return entry.isDirectory() ? filesAt(root, below) : [below];
    });
}

/**
 * Hashes the files, and the content of the folders, in `paths`. Tests, builds and hidden files in the folders are left
 * out.
 */
export function hashOfSources(root, paths) {
  const hash = createHash('sha256');
  for (const file of paths.flatMap((path) => filesAt(root, path))) {
    const content = readFileSync(join(root, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}
