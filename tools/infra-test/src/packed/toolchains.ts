import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const cache = join(homedir(), '.cache/openclaw-chat-hub/toolchains');

export async function installNode(version: string): Promise<string> {
  return join(await installTool('node', version), 'bin/node');
}

export async function installTypeScript(version: string): Promise<string> {
  return join(await installTool('typescript', version), 'bin/tsc');
}

export async function installNodeTypes(version: string): Promise<string> {
  return dirname(await installTool('@types/node', version));
}

async function installTool(name: string, version: string): Promise<string> {
  const folder = join(cache, `${name.replace('/', '-')}-${version}`);
  const installed = join(folder, 'node_modules', name);
  if (existsSync(folder)) return installed;
  const fresh = `${folder}-${process.pid}`;
  await mkdir(fresh, { recursive: true });
  try {
    await writeFile(join(fresh, 'package.json'), '{ "private": true }');
    await run('npm', ['install', `${name}@${version}`], { cwd: fresh, env: npmEnvironment() });
    await rename(fresh, folder);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  return installed;
}

/** Omits the variables of the npm that runs the tests. */
export function npmEnvironment(): NodeJS.ProcessEnv {
  const isAdded = (name: string) =>
    /^(npm_(?!config_)|npm_config_local_prefix$|INIT_CWD$|NODE_(ENV|OPTIONS)$)/.test(name);
  return {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !isAdded(name))),
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_loglevel: 'notice',
    npm_config_update_notifier: 'false',
  };
}
