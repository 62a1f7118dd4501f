import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { readAlerts } from './alert-rules.ts';
import { root } from './repository.ts';
import { readRunbook } from './runbook.ts';

const folder = 'docs/runbooks';
const index = 'README.md';

describe('docs/runbooks', () => {
  it('has a page for each alert, and no other', async () => {
    const alerts = await readAlerts();
    for (const { alert, labels, annotations } of alerts) {
      const path = annotations?.['runbook_url'] ?? '';
      expect([alert, labels?.['severity'], annotations?.['summary']]).toEqual([
        alert,
        expect.stringMatching(/^(page|ticket)$/),
        expect.stringMatching(/\w/),
      ]);
      expect([alert, (await readRunbook(path)).title]).toEqual([alert, alert]);
    }
    const named = new Set(alerts.map(({ annotations }) => annotations?.['runbook_url']));
    const pages = (await readdir(join(root, folder))).filter((name) => name !== index);
    expect(pages.map((name) => `${folder}/${name}`).toSorted()).toEqual([...named].toSorted());
  });

  it('lists every page with the severities of its alert', async () => {
    const text = await readFile(join(root, folder, index), 'utf8');
    const listed = [...text.matchAll(/^\| \[(\w+)\]\(([\w-]+\.md)\)\s+\| ([a-z, ]+?)\s*\|$/gm)];
    const severities = new Map<string, string[]>();
    for (const { alert, labels, annotations } of await readAlerts()) {
      const key = `${alert} ${annotations?.['runbook_url']}`;
      severities.set(key, [...(severities.get(key) ?? []), labels?.['severity'] ?? '']);
    }
    expect(
      listed
        .map(([, alert, page, severity]) => `${alert} ${folder}/${page}: ${severity}`)
        .toSorted(),
    ).toEqual([...severities].map(([key, all]) => `${key}: ${all.join(', ')}`).toSorted());
  });

  it('explains every variable of a command, on its page or for all pages', async () => {
    const textOf = (name: string) => readFile(join(root, folder, name), 'utf8');
    const forAll = namesIn(await textOf(index), /^\| (`.*?) +\|/gm).join(' ');
    for (const name of await readdir(join(root, folder))) {
      if (name === index) continue;
      const text = await textOf(name);
      const commands = [...text.matchAll(/^```bash\n([^`]+)```$/gm)].map(([, body]) => body);
      const explained = `${forAll} ${text.replace(/^```bash\n[^`]+```$/gm, '')}`;
      for (const variable of namesIn(commands.join(), /\$([A-Z_]+)/g))
        expect([name, variable, explained.includes(`\`${variable}\``)]).toEqual([
          name,
          variable,
          true,
        ]);
    }
  });

  it('names only services of Compose, and the receiver of alerts, which is the operator’s', async () => {
    const known = new Set(['alert-receiver']);
    for (const file of ['docker-compose.yml', 'infra/monitoring/docker-compose.yml']) {
      const text = await readFile(join(root, file), 'utf8');
      const { services } = parse(text, { merge: true }) as { services: object };
      for (const name of Object.keys(services)) known.add(name);
    }
    for (const name of await readdir(join(root, folder))) {
      if (name === index) continue;
      const text = await readFile(join(root, folder, name), 'utf8');
      const commands = namesIn(text, /docker compose \w+((?: -?[\w-]+)+)/g);
      const services = commands.flatMap((words) =>
        words.split(' ').filter((word) => /^[a-z][a-z0-9-]+$/.test(word)),
      );
      expect([name, services.filter((service) => !known.has(service))]).toEqual([name, []]);
    }
  });

  it('links only to what exists, and names only npm commands that exist', async () => {
    const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    for (const name of await readdir(join(root, folder))) {
      const path = join(folder, name);
      const text = await readFile(join(root, path), 'utf8');
      for (const [, link = ''] of text.matchAll(/\]\((?!https?:)([^)#]+)/g))
        expect([name, link, existsSync(join(root, dirname(path), link))]).toEqual([
          name,
          link,
          true,
        ]);
      for (const [, script = ''] of text.matchAll(/npm run ([\w:-]+)/g))
        expect([name, Object.keys(scripts)]).toEqual([name, expect.arrayContaining([script])]);
    }
  });
});

function namesIn(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, name = '']) => name);
}
