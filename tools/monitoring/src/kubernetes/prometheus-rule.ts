import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { filesIn } from '../alert-rules.ts';
import { monitoringFolder, root } from '../repository.ts';

export const prometheusRulePath = join(root, 'infra/k8s/components/monitoring/alerts.yaml');

const header = `# Written by "npm run alerts" from infra/monitoring/rules; change it there.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: openclaw
spec:
  groups:
`;

/** The groups are copied as text to keep their comments. */
async function prometheusRule(): Promise<string> {
  let text = header;
  for (const name of await filesIn('rules')) {
    const rules = await readFile(join(monitoringFolder, 'rules', name), 'utf8');
    const [, groups] = rules.split(/^groups:\n/m);
    if (groups === undefined) throw new Error(`rules/${name} has no groups`);
    text += groups.replace(/^(?=.)/gm, '  ');
  }
  return text;
}

export async function writePrometheusRule(): Promise<void> {
  await writeFile(prometheusRulePath, await prometheusRule());
}

export async function isPrometheusRuleDrifted(): Promise<boolean> {
  const written = await readFile(prometheusRulePath, 'utf8').catch(() => null);
  return written !== (await prometheusRule());
}
