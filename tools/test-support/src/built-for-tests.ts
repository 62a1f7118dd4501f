import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(fileURLToPath(import.meta.url), '../../../..');
const buildTimeoutMs = 120_000;
const variables = { hub: 'OPENCLAW_TEST_HUB', page: 'OPENCLAW_TEST_PAGE' } as const;

/**
 * The folder with the bundle of the hub, or with the web UI. Jest's global setup names the folder by the hash of the
 * sources, and the first caller builds it, in about two seconds. Null outside of Jest, and for the hub while Jest
 * measures coverage or OPENCLAW_TEST_SOURCES is set.
 */
export function builtForTests(name: 'hub' | 'page'): string | null {
  const folder = process.env[variables[name]];
  if (!folder) return null;
  if (existsSync(folder)) return folder;
  // The script hashes the sources again. If they changed after the setup, the script builds the changed sources.
  const script = join(root, 'tools/setup/test-builds.mjs');
  const output = execFileSync(process.execPath, [script, name], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: buildTimeoutMs,
  });
  return output.trim();
}

/** A program of the hub: its path below apps/chat-hub/src, without `.ts`. */
export type HubProgram =
  'main' | 'audit/main' | 'health/main' | 'commands/erase' | 'commands/export' | 'commands/token';

/**
 * Node's arguments that run a program of the hub. In a test run, they name the bundle, as in the image, because a
 * bundle starts with less than half of the processor time. Elsewhere, and with `fromSource`, they name the sources.
 */
export function hubProgram(
  program: HubProgram,
  { fromSource = false } = {},
): readonly [...flags: string[], file: string] {
  const noWarning = '--disable-warning=ExperimentalWarning';
  const bundle = fromSource ? null : builtForTests('hub');
  if (bundle !== null) return [noWarning, join(bundle, 'programs', `${program}.js`)];
  const file = join(root, 'apps/chat-hub/src', `${program}.ts`);
  return ['--conditions=@openclaw/source', noWarning, file];
}
