import { beforeAll, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { isOnPath, runChecker } from './checkers.ts';
import { readText, root } from './repository.ts';

describe('apps/chat-hub/Dockerfile', () => {
  (isOnPath('hadolint') ? it : it.skip)('passes hadolint without a remark', async () => {
    const file = join(root, 'apps/chat-hub/Dockerfile');
    expect(await runChecker('hadolint', [file])).toEqual({ code: 0, output: '' });
  });

  let instructions: string[];
  beforeAll(async () => {
    instructions = (await readText('apps/chat-hub/Dockerfile'))
      .replaceAll(/\\\n\s*/g, '')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
  });

  it('builds in one stage and runs in another, both on node:24-alpine', () => {
    expect(instructions.filter((line) => line.startsWith('FROM'))).toEqual([
      'FROM node:24-alpine AS build',
      'FROM node:24-alpine',
    ]);
  });

  it('runs as an unprivileged user, with node as its first process', () => {
    const last = instructions.slice(instructions.lastIndexOf('FROM node:24-alpine'));
    expect(last).toContain('USER 1000:1000');
    expect(last.indexOf('USER 1000:1000')).toBeGreaterThan(
      last.findIndex((line) => line.startsWith('RUN')),
    );
    expect(last.at(-1)).toMatch(/^CMD \["node", .*"apps\/chat-hub\/dist\/main.js"\]$/);
  });

  it('holds only the bundled hub and the built web UI, without node_modules', () => {
    const last = instructions.slice(instructions.lastIndexOf('FROM node:24-alpine'));
    expect(last.filter((line) => line.startsWith('COPY'))).toEqual([
      'COPY --from=build /app/package.json ./',
      'COPY --from=build /app/apps/chat-hub/package.json ./apps/chat-hub/',
      'COPY --from=build /app/apps/chat-hub/dist ./apps/chat-hub/dist',
      'COPY --from=build /app/apps/web/dist ./apps/web/dist',
    ]);
  });

  it('has a health check on /healthz', () => {
    expect(instructions.find((line) => line.startsWith('HEALTHCHECK'))).toContain('/healthz');
  });

  it('ignores build output, installed packages, secrets and data', async () => {
    const ignored = (await readText('.dockerignore')).split('\n');
    expect(ignored).toEqual(
      expect.arrayContaining(['**/node_modules', '**/dist', '**/.data', '**/.env', '.git']),
    );
  });
});
