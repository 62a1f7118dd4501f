import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '@openclaw/test-support';
import { suiteScope } from '@openclaw/test-support/scopes';
import { goodMeasurement, outcomeWith, summary, thresholdsOf } from '../testing/outcomes.ts';
import { jsonReport } from '../reports/json.ts';
import { compareRuns, readFormerRun } from './comparison.ts';
import { judge } from './judge.ts';

const scope = suiteScope();
let path: string;
beforeAll(async () => {
  path = join((await scope.use(temporaryFolder('loadgen-compare'))).path, 'former.json');
  const former = outcomeWith();
  writeFileSync(path, jsonReport(former, judge(former, thresholdsOf(former)), null));
});

describe('a comparison with a former run', () => {
  it('reads the JSON report, and finds what became better, worse or stayed', () => {
    const now = outcomeWith({
      operationsPerSecond: 1_015,
      deliveriesPerSecond: 200_000,
      latencies: { ...goodMeasurement.latencies, delivery: summary(16), ack: summary(4.5) },
    });
    const comparison = compareRuns(now, readFormerRun(path));
    expect(comparison.formerVerdict).toBe('pass');
    expect(comparison.differences).toEqual([]);
    const row = (name: string) => {
      const found = comparison.rows.find((each) => each.name === name);
      return [found?.change, found?.tendency];
    };
    expect(row('message delivery p99 ms')).toEqual(['+100%', 'worse']);
    expect(row('message ack p99 ms')).toEqual(['-50.00%', 'better']);
    expect(row('calls/s')).toEqual(['-0.49%', 'even']);
    expect(row('deliveries/s')).toEqual(['+78.6%', 'better']);
    expect(row('errors')).toEqual(['0.00%', 'even']);
  });

  it('shows errors that are new', () => {
    const { rows } = compareRuns(outcomeWith({ errors: { timeout: 3 } }), readFormerRun(path));
    expect(rows.find(({ name }) => name === 'errors')).toMatchObject({
      change: 'new',
      tendency: 'worse',
    });
  });

  it('names the differences of the plans', () => {
    const outcome = outcomeWith();
    const plan = { ...outcome.plan, agents: 50, rates: { ...outcome.plan.rates, typing: 9 } };
    const { differences } = compareRuns({ ...outcome, plan }, readFormerRun(path));
    expect(differences).toEqual(['agents was 111 and is 50.', 'rate of typing was 5 and is 9.']);
  });

  it('refuses a file that is no report', () => {
    writeFileSync(`${path}.other`, '{"hello": 1}');
    expect(() => readFormerRun(`${path}.other`)).toThrow(/is not valid:\s+format/);
  });
});
