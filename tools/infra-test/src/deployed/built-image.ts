import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../repository.ts';

const run = promisify(execFile);

export interface BuiltImage {
  /** The folder stands for the image's `/`. */
  readonly folder: string;
  readonly workdir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly user: { readonly uid: number; readonly gid: number };
  readonly command: readonly string[];
  readonly healthCommand: readonly string[];
}

interface Stage {
  readonly folder: string;
  workdir: string;
  env: Record<string, string>;
  user: { uid: number; gid: number };
  command: readonly string[];
  healthCommand: readonly string[];
}

const prefix = 'openclaw-image-';
const dockerfile = 'apps/chat-hub/Dockerfile';

/**
 * Follows the Dockerfile's instructions in empty folders, with this machine's Node and npm, without Docker. Takes a
 * minute or two. Keeps the result in the temporary folder, and builds again only after a file of the Docker context has
 * changed.
 */
export async function buildImage(): Promise<BuiltImage> {
  const files = await contextFiles();
  const target = join(tmpdir(), `${prefix}${await hashOf(files)}`);
  const description = join(target, 'image.json');
  if (existsSync(description)) return JSON.parse(await readFile(description, 'utf8')) as BuiltImage;

  for (const name of await readdir(tmpdir())) {
    if (name.startsWith(prefix)) await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
  const fresh = `${target}-${process.pid}`;
  const { folder, ...stage } = await follow(await readFile(join(root, dockerfile), 'utf8'), {
    files,
    fresh,
  });
  const image: BuiltImage = {
    ...stage,
    folder: folder.replace(fresh, target),
    workdir: join(folder, stage.workdir).replace(fresh, target),
  };
  await writeFile(join(fresh, 'image.json'), JSON.stringify(image));
  await rename(fresh, target);
  return image;
}

async function follow(
  text: string,
  { files, fresh }: { readonly files: readonly string[]; readonly fresh: string },
): Promise<Stage> {
  const stages = new Map<string, Stage>();
  let stage: Stage | undefined;
  for (const [instruction, rest] of instructionsOf(text)) {
    if (instruction === 'FROM') {
      const name = / AS (\w+)$/.exec(rest)?.[1] ?? 'last';
      stage = {
        folder: join(fresh, name),
        workdir: '/',
        env: {},
        user: { uid: 0, gid: 0 },
        command: [],
        healthCommand: [],
      };
      stages.set(name, stage);
      continue;
    }
    if (!stage) throw new Error(`${instruction} before FROM`);
    const inside = (path: string) =>
      join(stage?.folder ?? '', path.startsWith('/') ? path : join(stage?.workdir ?? '/', path));
    switch (instruction) {
      case 'WORKDIR':
        stage.workdir = rest;
        await mkdir(inside('.'), { recursive: true });
        break;
      case 'ENV': {
        const [name = '', value = ''] = rest.split('=');
        stage.env[name] = value;
        break;
      }
      case 'COPY': {
        const [, from, source = '', target = ''] =
          /^(?:--from=(\w+) )?(\S+) (\S+)$/.exec(rest) ?? [];
        if (from === undefined) {
          if (source !== '.') throw new Error(`COPY ${rest} is not supported`);
          for (const file of files) {
            const copy = join(inside(target), file);
            await mkdir(dirname(copy), { recursive: true });
            await cp(join(root, file), copy, { verbatimSymlinks: true });
          }
        } else {
          const whole = join(stages.get(from)?.folder ?? '', source);
          const isFile = target.endsWith('/');
          await cp(
            whole,
            isFile ? join(inside(target), source.split('/').at(-1) ?? '') : inside(target),
            {
              recursive: true,
              verbatimSymlinks: true,
            },
          );
        }
        break;
      }
      case 'RUN':
        await runInside(rest.replaceAll(/--mount=\S+ +/g, ''), inside('.'), stage.env);
        break;
      case 'USER': {
        const [uid = NaN, gid = NaN] = rest.split(':').map(Number);
        stage.user = { uid, gid };
        break;
      }
      case 'CMD':
        stage.command = JSON.parse(rest) as string[];
        break;
      case 'HEALTHCHECK':
        stage.healthCommand = JSON.parse(rest.replace(/^.*?CMD /, '')) as string[];
        break;
      case 'EXPOSE':
      case 'VOLUME':
        break;
      default:
        throw new Error(`${instruction} is not supported`);
    }
  }
  for (const [name, { folder }] of stages) {
    if (name !== 'last') await rm(folder, { recursive: true });
  }
  if (!stage) throw new Error('no FROM');
  return stage;
}

function instructionsOf(text: string): [instruction: string, rest: string][] {
  return text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, instruction = '', rest = ''] = /^(\w+) +(.*)$/.exec(line) ?? [];
      return [instruction, rest];
    });
}

async function runInside(command: string, cwd: string, env: Record<string, string>): Promise<void> {
  const { HOME, PATH = '' } = process.env;
  // The command must use the Node of this process, which the project's setup chose.
  const path = [dirname(process.execPath), PATH].join(delimiter);
  await run('sh', ['-ec', command], {
    cwd,
    env: { HOME, ...env, PATH: path, NX_DAEMON: 'false' },
    maxBuffer: 64 * 1_048_576,
  });
}

/** Returns the files that Docker would send to its builder, except for those that Git ignores. */
async function contextFiles(): Promise<string[]> {
  const { stdout } = await run('git', ['ls-files', '-co', '--exclude-standard', '-z'], {
    cwd: root,
    maxBuffer: 16 * 1_048_576,
  });
  const ignored = (await readFile(join(root, '.dockerignore'), 'utf8'))
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(toRegExp);
  return stdout
    .split('\0')
    .filter((file) => file !== '' && !ignored.some((pattern) => pattern.test(file)))
    .filter((file) => existsSync(join(root, file)))
    .sort();
}

function toRegExp(pattern: string): RegExp {
  const anywhere = pattern.startsWith('**/');
  const rest = (anywhere ? pattern.slice(3) : pattern)
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '[^/]*');
  return new RegExp(`^${anywhere ? '(?:.*/)?' : ''}${rest}(?:/|$)`);
}

async function hashOf(files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) {
    const content = await readFile(join(root, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex').slice(0, 16);
}
