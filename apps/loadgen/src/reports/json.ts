import type { Comparison } from '../verdict/comparison.ts';
import type { Judgement } from '../verdict/judge.ts';
import type { Outcome } from '../measure/outcome.ts';

/** `--compare` reads this JSON. `format` changes when a part that `--compare` reads gets another shape. */
export function jsonReport(
  outcome: Outcome,
  judgement: Judgement,
  comparison: Comparison | null,
): string {
  const { verdict, reasons, checks } = judgement;
  const { plan } = outcome;
  // The certificate authority is a whole file, and readers of a report do not need it.
  const shownPlan = { ...plan, tls: { ...plan.tls, ca: plan.tls.ca === null ? null : 'given' } };
  const report = {
    format: 1,
    verdict,
    reasons,
    checks,
    ...outcome,
    plan: shownPlan,
    stages: outcome.stages.map((stage, index) => ({
      ...stage,
      verdict: judgement.stages[index]?.verdict,
      checks: judgement.stages[index]?.checks,
    })),
    comparison,
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}
