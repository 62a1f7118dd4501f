import { describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readText, root } from './repository.ts';

const pages = [
  'CONTRIBUTING.md',
  'docs/architecture.md',
  'docs/backup.md',
  'docs/decisions.md',
  'docs/failure-modes.md',
  'docs/operations.md',
  'docs/performance.md',
  'docs/reliability.md',
  'docs/retention.md',
  'docs/scaling.md',
  'docs/security.md',
  'infra/README.md',
  'infra/proxy/README.md',
];

// Documents may name a file relative to one of these folders.
const homes = [
  '',
  'apps/chat-hub/src',
  'packages',
  'packages/chat-store/src',
  'infra',
  'infra/proxy',
  'infra/redis',
];

describe.each(pages)('%s', (page) => {
  it('names only files and folders that exist', async () => {
    const text = await readText(page);
    const named = [
      ...text.matchAll(/`([\w@][\w@./-]*\.(?:ts|mjs|sh|conf|acl|yaml|md|lua|example))`/g),
    ];
    for (const [, path = ''] of named) {
      expect([path, homes.some((home) => existsSync(join(root, home, path)))]).toEqual([
        path,
        true,
      ]);
    }
    for (const [, path = ''] of text.matchAll(/\]\((?!https?:)([^)#]+)/g)) {
      expect([path, existsSync(join(root, dirname(page), path))]).toEqual([path, true]);
    }
  });
});

describe('docs/operations.md', () => {
  it('names only metrics that the hub has', async () => {
    const folder = join(root, 'apps/chat-hub/src');
    const files = (await readdir(folder, { recursive: true })).filter((path) =>
      path.endsWith('.ts'),
    );
    const source = (
      await Promise.all(files.map((path) => readText(join('apps/chat-hub/src', path))))
    ).join('\n');
    const named = (await readText('docs/operations.md')).matchAll(/\bhub_[a-z_]+/g);
    for (const [metric] of named) {
      expect([metric, source.includes(`'${metric}'`)]).toEqual([metric, true]);
    }
  });

  it('has every user of users.acl', async () => {
    const acl = await readText('infra/redis/users.acl');
    const text = await readText('docs/operations.md');
    for (const [, user] of acl.matchAll(/^user (\w+)/gm)) expect(text).toContain(`\`${user}\``);
  });
});
