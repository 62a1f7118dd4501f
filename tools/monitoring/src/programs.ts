import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe } from '@jest/globals';

/** The values are Debian's packages. `npm test` installs the packages if it is allowed to. */
const packages = {
  promtool: 'prometheus',
  prometheus: 'prometheus',
  'prometheus-alertmanager': 'prometheus-alertmanager',
  amtool: 'prometheus-alertmanager',
  'prometheus-redis-exporter': 'prometheus-redis-exporter',
  'prometheus-postgres-exporter': 'prometheus-postgres-exporter',
  'prometheus-node-exporter': 'prometheus-node-exporter',
} as const;
export type Program = keyof typeof packages;

function isOnPath(name: string): boolean {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.some((folder) => existsSync(join(folder, name)));
}

/** Without one of the programs, skips the tests and names the missing packages on standard error. */
export function describeWith(...programs: readonly Program[]): typeof describe {
  const missing = programs.filter((name) => !isOnPath(name));
  if (missing.length === 0) return describe;
  const needed = [...new Set(missing.map((name) => packages[name]))];
  process.stderr.write(`skipped: tests that need ${needed.join(', ')} (apt-get install)\n`);
  return describe.skip as typeof describe;
}
