import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { filesIn, readMonitoringYaml, type RuleFile } from '../alert-rules.ts';
import { isPrometheusRuleDrifted, prometheusRulePath } from './prometheus-rule.ts';

describe('infra/k8s/components/monitoring/alerts.yaml', () => {
  it('is as "npm run alerts" writes it', async () => {
    expect(await isPrometheusRuleDrifted()).toBe(false);
  });

  it('has the groups of infra/monitoring/rules, and no other', async () => {
    const files = await Promise.all(
      (await filesIn('rules')).map((name) => readMonitoringYaml<RuleFile>(`rules/${name}`)),
    );
    const { spec } = parse(await readFile(prometheusRulePath, 'utf8')) as { spec: RuleFile };
    expect(spec.groups).toEqual(files.flatMap(({ groups }) => groups));
  });
});
