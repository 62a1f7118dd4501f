import { chmod, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { freePort } from '@openclaw/test-support';

export interface Service {
  /** A running service restarts only if its variables differ. */
  up(env: Readonly<Record<string, string>>): Promise<void>;
  /**
   * Stops the service by SIGTERM, and by SIGKILL after `graceMs`, then starts it. A stopped service is only started.
   */
  restart(graceMs: number): Promise<void>;
  output?(): string;
}

/** Replaces the program `docker` for the runbooks' commands, and acts on the test's processes. */
export interface ComposeStub extends AsyncDisposable {
  /** A command uses the stub if `folder` is on PATH and the variable is set. */
  readonly env: { readonly folder: string; readonly DRILL_COMPOSE: string };
}

interface Request {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const program = `#!/usr/bin/env node
// Variables of one command line, such as HUB_MAX_CONNECTIONS=10000 docker compose up -d hub.
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(HUB_(MAX|JWT|LIMIT)|ALERT)_/.test(name)));
const body = JSON.stringify({ args: process.argv.slice(2), env });
const answer = await fetch(process.env.DRILL_COMPOSE, { method: 'POST', body });
process.stdout.write(await answer.text());
process.exitCode = answer.ok ? 0 : 1;
`;

/** Applies without `-t`. docker-compose.yml gives a hub more time, because it may have many clients. */
const usualGraceMs = 5_000;

/** Answers `docker compose` up, restart, ps and logs. Any other command or service is an error. */
export async function startComposeStub(
  folder: string,
  services: ReadonlyMap<string, Service>,
): Promise<ComposeStub> {
  async function answer({ args, env }: Request): Promise<string> {
    const [compose, command, ...rest] = args;
    if (compose !== 'compose') throw new Error(`docker ${args.join(' ')} is not of Compose`);
    const values = new Set(['-t', '--tail', '--since']);
    const names = rest.filter(
      (text, at) => !text.startsWith('-') && !values.has(rest[at - 1] ?? ''),
    );
    const found = names.map((name) => {
      const service = services.get(name);
      if (!service) throw new Error(`no such service: ${name}`);
      return service;
    });
    if (command === 'up') for (const service of found) await service.up(env);
    else if (command === 'restart') {
      const given = rest.indexOf('-t');
      const graceMs = given < 0 ? usualGraceMs : 1_000 * Number(rest[given + 1]);
      for (const service of found) await service.restart(graceMs);
    } else if (command === 'logs') return found.map((service) => service.output?.() ?? '').join('');
    else if (command !== 'ps') throw new Error(`unknown command: docker ${args.join(' ')}`);
    return `${command} ${names.join(' ')}\n`;
  }

  const server = createServer((request, response) => {
    void (async () => {
      try {
        let body = '';
        for await (const chunk of request) body += String(chunk);
        response.end(await answer(JSON.parse(body) as Request));
      } catch (error) {
        response.writeHead(500).end(`${(error as Error).message}\n`);
      }
    })();
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const path = join(folder, 'docker.mjs');
  await writeFile(path, program);
  await chmod(path, 0o755);
  await writeFile(join(folder, 'docker'), `#!/bin/sh\nexec node ${path} "$@"\n`, { mode: 0o755 });
  return {
    env: { folder, DRILL_COMPOSE: `http://127.0.0.1:${port}` },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
