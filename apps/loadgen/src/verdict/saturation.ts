import { formatNumber, formatPercent } from '../reports/format.ts';
import type { Measurement } from '../measure/outcome.ts';

const loopUtilizationMax = 0.9;
const busyMax = 0.95;
const stolenMax = 0.05;

/**
 * Returns one sentence for each sign that the generator's machine was overloaded and may have caused the results. A
 * lateness above `latenessMaxMs` is such a sign.
 */
export function saturationOf(
  { generator, machine, latencies }: Measurement,
  latenessMaxMs: number,
): string[] {
  const reasons: string[] = [];
  if (generator.loopUtilization > loopUtilizationMax) {
    reasons.push(
      `The generator's event loop was busy ${formatPercent(generator.loopUtilization)} of the time: give --workers more threads, or use a faster machine.`,
    );
  }
  const lateness = latencies.lateness?.p99 ?? 0;
  if (lateness > latenessMaxMs) {
    reasons.push(
      `The generator itself was late by ${formatNumber(lateness)} ms (p99), more than ${formatNumber(latenessMaxMs)} ms.`,
    );
  }
  if (machine !== null && machine.busy + machine.stolen > busyMax) {
    reasons.push(
      `The machine's ${machine.cores} cores were busy ${formatPercent(machine.busy + machine.stolen)} of the time: run the generator on a machine of its own.`,
    );
  }
  if (machine !== null && machine.stolen > stolenMax) {
    reasons.push(
      `The host of this virtual machine took ${formatPercent(machine.stolen)} of its CPU time for others.`,
    );
  }
  return reasons;
}
