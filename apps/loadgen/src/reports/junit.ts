import type { Judgement } from '../verdict/judge.ts';
import type { Outcome } from '../measure/outcome.ts';
import { escapeMarkup } from './markup.ts';
import { titleOf } from './text.ts';

/**
 * Writes one test case for each check. JUnit knows only passed, failed and skipped. In an inconclusive run the
 * generator's machine was overloaded, so failed checks are reported as skipped and do not fail a build.
 */
export function junitReport(outcome: Outcome, { checks, verdict, reasons }: Judgement): string {
  const { scenario } = outcome.plan;
  const seconds = (outcome.total.measuredMs / 1000).toFixed(3);
  const isFailure = (holds: boolean | null) => holds === false && verdict !== 'inconclusive';
  const isSkipped = (holds: boolean | null) =>
    holds === null || (holds === false && verdict === 'inconclusive');
  const cases = checks.map(({ id, name, limit, measured, holds }) => {
    const text = escapeMarkup(`${name}: ${measured}, and the limit is ${limit}`);
    const result = isFailure(holds)
      ? `<failure message="${text}"/>`
      : isSkipped(holds)
        ? `<skipped message="${text}"/>`
        : `<system-out>${text}</system-out>`;
    const attributes = `classname="loadgen.${escapeMarkup(scenario)}" name="${escapeMarkup(id)}"`;
    return `    <testcase ${attributes}>${result}</testcase>`;
  });
  const failures = checks.filter(({ holds }) => isFailure(holds)).length;
  const skipped = checks.filter(({ holds }) => isSkipped(holds)).length;
  const counts = `tests="${checks.length}" failures="${failures}" errors="0" skipped="${skipped}"`;
  const suite = `name="loadgen.${escapeMarkup(scenario)}" ${counts} time="${seconds}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="loadgen" ${counts} time="${seconds}">`,
    `  <testsuite ${suite} timestamp="${escapeMarkup(outcome.startedAt)}">`,
    '    <properties>',
    `      <property name="verdict" value="${verdict}"/>`,
    `      <property name="run" value="${escapeMarkup(titleOf(outcome))}"/>`,
    '    </properties>',
    ...cases,
    `    <system-out>${escapeMarkup(reasons.join('\n'))}</system-out>`,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}
