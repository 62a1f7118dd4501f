// `npm run alerts` writes the rules for Kubernetes; with --check it only compares, and exits with 1 on a difference.
import { isPrometheusRuleDrifted, writePrometheusRule } from './prometheus-rule.ts';

if (!process.argv.includes('--check')) {
  await writePrometheusRule();
} else if (await isPrometheusRuleDrifted()) {
  console.error(
    'the alerts for Kubernetes differ from infra/monitoring/rules: run "npm run alerts"',
  );
  process.exitCode = 1;
}
