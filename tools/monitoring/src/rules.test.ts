import { execFileSync } from 'node:child_process';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { temporaryFolder } from '@openclaw/test-support';
import { filesIn, readAlerts, readMonitoringYaml } from './alert-rules.ts';
import { describeWith } from './programs.ts';
import { monitoringFolder } from './repository.ts';

interface RuleTests {
  readonly tests: readonly {
    readonly name: string;
    readonly input_series: readonly { readonly series: string; readonly values: string }[];
    readonly alert_rule_test: readonly {
      readonly alertname: string;
      readonly exp_alerts: readonly { readonly exp_labels: Readonly<Record<string, string>> }[];
    }[];
  }[];
}

function run(command: string, args: readonly string[], cwd = monitoringFolder): string {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: 'pipe' });
}

describeWith('promtool', 'amtool')('infra/monitoring', () => {
  it('has a configuration and rules that promtool accepts', async () => {
    // The folder of the secrets exists only where Alertmanager runs.
    await using folder = await temporaryFolder('monitoring');
    await cp(monitoringFolder, folder.path, { recursive: true });
    await mkdir(join(folder.path, 'secrets'));
    await writeFile(join(folder.path, 'secrets/webhook-token'), 'of a test');
    expect(run('promtool', ['check', 'config', 'prometheus.yml'], folder.path)).toContain(
      'prometheus.yml is valid',
    );
    const rules = (await filesIn('rules')).map((name) => `rules/${name}`);
    expect(run('promtool', ['check', 'rules', '--lint=all', '--lint-fatal', ...rules])).not.toMatch(
      /FAILED/,
    );
  });

  it('sends pages and tickets to their receivers', () => {
    expect(run('amtool', ['check-config', 'alertmanager.yml'])).toContain('SUCCESS');
    const receiver = (severity: string) =>
      run('amtool', [
        ...['config', 'routes', 'test', '--config.file=alertmanager.yml'],
        `severity=${severity}`,
      ]).trim();
    expect([receiver('page'), receiver('ticket'), receiver('forgotten')]).toEqual([
      'page',
      'ticket',
      'ticket',
    ]);
  });

  it('has rules that fire and stay quiet as their tests say', async () => {
    const tests = (await filesIn('tests')).map((name) => `tests/${name}`);
    expect(run('promtool', ['test', 'rules', ...tests])).not.toMatch(/FAILED/);
  });

  it('has rule tests that can fail', async () => {
    await using folder = await temporaryFolder('monitoring');
    await cp(monitoringFolder, folder.path, { recursive: true });
    // With this expression the alert never fires, so its rule test must fail.
    const path = join(folder.path, 'rules/redis.yml');
    const text = run('cat', ['rules/redis.yml']);
    await writeFile(path, text.replace('expr: redis_up == 0', 'expr: redis_up == 7'));
    expect(() => run('promtool', ['test', 'rules', 'tests/redis.test.yml'], folder.path)).toThrow(
      /RedisDown/,
    );
  });

  it('has a firing and a quiet test for each alert and severity', async () => {
    const { tests } = {
      tests: (
        await Promise.all(
          (await filesIn('tests')).map((name) => readMonitoringYaml<RuleTests>(`tests/${name}`)),
        )
      ).flatMap(({ tests }) => tests),
    };
    const fires = new Set<string>();
    const quiet = new Set<string>();
    for (const { input_series: series, alert_rule_test: cases } of tests) {
      for (const { alertname, exp_alerts: alerts } of cases) {
        for (const { exp_labels: labels } of alerts) fires.add(`${alertname} ${labels.severity}`);
        if (alerts.length === 0 && series.length > 0) quiet.add(alertname);
      }
    }
    const alerts = await readAlerts();
    expect([...fires].toSorted()).toEqual(
      alerts.map(({ alert, labels }) => `${alert} ${labels?.['severity']}`).toSorted(),
    );
    expect([...quiet].toSorted()).toEqual(
      [...new Set(alerts.map(({ alert }) => alert))].toSorted(),
    );
  });
});
