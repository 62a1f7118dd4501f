import { describe, expect, it } from '@jest/globals';
import type { Outcome } from '../measure/outcome.ts';
import { goodMeasurement, outcomeWith, summary, thresholdsOf } from '../testing/outcomes.ts';
import { compareRuns } from '../verdict/comparison.ts';
import { judge } from '../verdict/judge.ts';
import { htmlReport } from './html.ts';
import { jsonReport } from './json.ts';
import { junitReport } from './junit.ts';
import { drawTimePlot, niceStep } from './plots.ts';
import { prometheusReport } from './prometheus.ts';
import { formatReport } from './text.ts';

const bad = {
  ...outcomeWith({
    errors: { rate_limited: 3 },
    reconnects: 4,
    latencies: { ...goodMeasurement.latencies, delivery: summary(77) },
  }),
  failures: { '<no welcome> & "more"': 2 },
};
const judged = (outcome: Outcome) => judge(outcome, thresholdsOf(outcome));
const html = (outcome: Outcome) => htmlReport(outcome, judged(outcome), thresholdsOf(outcome));

describe('the text report', () => {
  it('says the verdict and its reasons first, then the measurements', () => {
    const lines = formatReport(bad, judged(bad)).split('\n');
    expect(lines[0]).toBe(
      'FAIL  hall: 111 agents + 1 watcher, 1 channel, 1,000 messages/s for 10.0 s',
    );
    expect(lines[1]).toContain('message delivery p99: 77.0 ms');
    const report = lines.join('\n');
    expect(report).toMatch(/message delivery +10 +1\.00 +2\.00 +77\.0 +77\.0/);
    expect(report).toMatch(/throughput +1,020 calls\/s in, 112,000 deliveries\/s out/);
    expect(report).toMatch(/errors +rate_limited 3\n +the hub’s HUB_LIMIT_MESSAGE/);
    expect(report).toMatch(/left out +2 agents: <no welcome>/);
    expect(report).toMatch(/reconnects +4/);
    expect(report).toMatch(/errors +≤ 0 +3 \(rate_limited 3\) +FAIL/);
    expect(report).toMatch(/hub memory +< 500 MB +200 MB +pass/);
  });

  it('shows a comparison', () => {
    const outcome = outcomeWith();
    const former = JSON.parse(jsonReport(bad, judged(bad), null)) as never;
    const report = formatReport(outcome, judged(outcome), compareRuns(outcome, former));
    expect(report).toMatch(/message delivery p99 ms +77\.0 +8\.00 +-89\.61%/);
  });
});

describe('the JUnit report', () => {
  it('has a test case for each threshold, and a failure for each that failed', () => {
    const xml = junitReport(bad, judged(bad));
    expect(xml.match(/<testcase /g)).toHaveLength(judged(bad).checks.length);
    expect(xml).toContain('failures="2" errors="0" skipped="0"');
    expect(xml).toMatch(/name="delivery\.p99"><failure message="[^"]*limit is &lt; 50 ms"\/>/);
  });

  it('skips the failed thresholds of an inconclusive run', () => {
    const outcome = outcomeWith({
      latencies: { ...goodMeasurement.latencies, delivery: summary(77) },
      machine: { cores: 2, busy: 1, stolen: 0 },
    });
    const xml = junitReport(outcome, judged(outcome));
    expect(xml).toContain('failures="0" errors="0" skipped="1"');
    expect(xml).toContain('<property name="verdict" value="inconclusive"/>');
  });
});

describe('the Prometheus report', () => {
  it('has the verdict, the latencies and the thresholds', () => {
    const text = prometheusReport(bad, judged(bad));
    expect(text).toContain('openclaw_loadgen_verdict{scenario="hall",verdict="fail"} 1\n');
    expect(text).toContain('openclaw_loadgen_verdict{scenario="hall",verdict="pass"} 0\n');
    expect(text).toContain('# TYPE openclaw_loadgen_latency_seconds summary\n');
    expect(text).toContain(
      'openclaw_loadgen_latency_seconds{scenario="hall",kind="delivery",quantile="0.99"} 0.077\n',
    );
    expect(text).toContain(
      'openclaw_loadgen_latency_seconds_count{scenario="hall",kind="delivery"} 10\n',
    );
    expect(text).toContain(
      'openclaw_loadgen_threshold_holds{scenario="hall",threshold="delivery.p99"} 0\n',
    );
    expect(text).toContain('openclaw_loadgen_errors{scenario="hall",code="rate_limited"} 3\n');
    const line = /^(# (HELP|TYPE) \w+ .+|\w+\{\w+="[^"]*"(,\w+="[^"]*")*\} [-+.\de]+)$/;
    expect(
      text
        .trimEnd()
        .split('\n')
        .filter((each) => !line.test(each)),
    ).toEqual([]);
  });
});

describe('the JSON report', () => {
  it('holds no certificate', () => {
    const outcome = outcomeWith();
    const plan = { ...outcome.plan, tls: { ca: 'PEM text', isInsecure: false } };
    const json = jsonReport({ ...outcome, plan }, judged(outcome), null);
    expect(json).not.toContain('PEM text');
    expect(JSON.parse(json)).toMatchObject({ format: 1, verdict: 'pass' });
  });
});

describe('the HTML report', () => {
  it('says the verdict first', () => {
    expect(html(bad)).toMatch(/<h1>Fail: 2 of 10 thresholds do not hold<\/h1>/);
    expect(html(outcomeWith())).toMatch(/<h1>Pass: every threshold holds<\/h1>/);
  });

  it('needs no other file', () => {
    expect(html(bad)).not.toMatch(/<script|<link|<img|@import|url\(|https?:/);
  });

  it('escapes the texts that come from outside', () => {
    expect(html(bad)).toContain('&lt;no welcome&gt; &amp; &quot;more&quot;');
    expect(html(bad)).not.toContain('<no welcome>');
  });

  it('of a run without a measurement is still a page', () => {
    const empty = { ...outcomeWith(), series: [] };
    const latencies = Object.fromEntries(
      Object.keys(goodMeasurement.latencies).map((name) => [name, null]),
    ) as typeof goodMeasurement.latencies;
    const page = html({ ...empty, total: { ...empty.total, latencies } });
    expect(page).toContain('Nothing was measured');
    expect(page).toContain('too short for plots');
  });
});

describe('a plot over time', () => {
  const line = (values: (number | null)[]) =>
    drawTimePlot({
      title: 'Calls',
      unit: 'a second',
      seconds: values.map((_, index) => index),
      lines: [{ name: 'sent', tone: 'a', values }],
      limit: { name: 'limit', value: 50 },
    });

  it('leaves a hole at a missing value', () => {
    const path = / d="([^"]*)"/.exec(line([1, 2, null, 4, 5]))?.[1] ?? '';
    expect(path.match(/M/g)).toHaveLength(2);
    expect(path).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('draws the limit only if it does not flatten the values', () => {
    expect(line([20, 40])).toContain('<line class="limit"');
    expect(line([1, 2])).not.toContain('<line class="limit"');
    expect(line([1, 2])).toContain('limit (above the plot)');
  });

  it('of nothing but zeros has finite coordinates', () => {
    expect(line([0, 0])).not.toMatch(/NaN|Infinity/);
  });

  it('has axis steps that are easy to read', () => {
    expect([1, 7, 23, 980, 0.03].map((range) => niceStep(range, 4))).toEqual([
      0.5, 2, 10, 500, 0.01,
    ]);
  });
});
