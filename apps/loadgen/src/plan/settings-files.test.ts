import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '@openclaw/test-support';
import { suiteScope } from '@openclaw/test-support/scopes';
import { createPlan } from './create-plan.ts';
import { readScenarioFile } from './scenario-file.ts';
import { scenarios } from './scenarios.ts';
import {
  defaultThresholdsPath,
  plannedThroughput,
  readThresholdsFile,
  thresholdsFor,
} from './thresholds.ts';

const scope = suiteScope();
let folder: string;
beforeAll(async () => {
  folder = (await scope.use(temporaryFolder('loadgen-files'))).path;
});

function fileWith(content: unknown): string {
  const path = join(folder, 'settings.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}
const noTls = { ca: null, isInsecure: false };
const planOf = (name: keyof typeof scenarios, overrides = {}) =>
  createPlan(scenarios[name], ['ws://hub'], noTls, overrides);

describe('a scenario file', () => {
  it('changes what it names, and takes the rest from the scenario that it extends', () => {
    const path = fileWith({
      name: 'nightly',
      extends: 'day',
      agents: 50,
      rates: { message: 20, direct: 0 },
      burst: null,
      stages: [
        { factor: 1, seconds: 10 },
        { factor: 2, seconds: 5 },
      ],
    });
    expect(readScenarioFile(path)).toEqual({
      ...scenarios.day,
      name: 'nightly',
      agents: 50,
      burst: null,
      rates: { ...scenarios.day.rates, message: 20, direct: 0 },
      stages: [
        { factor: 1, seconds: 10 },
        { factor: 2, seconds: 5 },
      ],
    });
  });

  it('that is wrong is refused with each wrong setting', () => {
    const path = fileWith({
      name: 'Night shift',
      rates: { message: -1, shouting: 3 },
      agent: 5,
      burst: { everySeconds: 1, seconds: 2, factor: 2 },
    });
    let message = '';
    try {
      readScenarioFile(path);
    } catch (error) {
      message = String(error);
    }
    expect(message).toContain(`${path} is not valid`);
    expect(message).toContain('name: must be lower-case letters');
    expect(message).toContain('rates.message: ');
    expect(message).toContain('shouting');
    expect(message).toContain('Unrecognized key: "agent"');
    expect(message).toContain('burst.seconds: seconds must be less than everySeconds');
  });

  it.each([
    ['that is not JSON', '{', 'cannot be read'],
    ['without a name', '{}', 'name: '],
  ])('%s is refused', (_, content, part) => {
    expect(() => readScenarioFile(fileWith(content))).toThrow(part);
  });

  it('of the examples is valid', () => {
    const example = (name: string) =>
      fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));
    expect(readScenarioFile(example('night-shift.json')).stages).toHaveLength(2);
    expect(readThresholdsFile(example('thresholds.json')).maxErrors).toBe(5);
  });

  it('that does not exist is refused', () => {
    expect(() => readScenarioFile(join(folder, 'missing.json'))).toThrow('ENOENT');
  });
});

describe('thresholds', () => {
  const stage = { factor: 1, durationMs: 10_000 };
  const file = readThresholdsFile(defaultThresholdsPath);

  it('follow the plan: a small run needs no more than it sends', () => {
    expect(thresholdsFor(planOf('hall'), file)).toMatchObject({ minAgents: 111, maxMemoryMb: 500 });
    expect(plannedThroughput(planOf('hall'), stage)).toBe(1_000);
    expect(plannedThroughput(planOf('hall'), { ...stage, factor: 2 })).toBe(2_000);
    const small = planOf('hall', { agents: 10, rate: 50 });
    expect(thresholdsFor(small, file).minAgents).toBe(10);
    expect(Math.floor(plannedThroughput(small, stage))).toBe(50);
    // Most calls of the scenario `day` are not messages, but they count too. 5% of all calls may be missing.
    expect(Math.floor(plannedThroughput(planOf('day'), { factor: 1, durationMs: 60_000 }))).toBe(
      Math.floor((268 * 0.95 * 60) / 60.2),
    );
  });

  it('allow more memory for more agents', () => {
    expect(thresholdsFor(planOf('crowd'), file).maxMemoryMb).toBe(500 + 389);
  });

  it('of a scenario have precedence over the general ones, and the command line over both', () => {
    expect(thresholdsFor(planOf('hall'), file).calls.delivery).toEqual({ p99Ms: 50 });
    expect(thresholdsFor(planOf('herd'), file).calls.delivery).toEqual({ p99Ms: 10_000 });
    const given = { maxDeliveryMs: 7, minThroughput: 3, maxErrors: 2 };
    const thresholds = thresholdsFor(planOf('herd'), file, given);
    expect(thresholds.calls.delivery).toEqual({ p99Ms: 7 });
    expect(thresholds).toMatchObject({ minThroughput: 3, maxErrors: 2 });
  });

  it('can limit every percentile of every kind of call', () => {
    const own = readThresholdsFile(
      fileWith({ calls: { direct: { p50Ms: 1, maxMs: 9 } }, minThroughput: 5 }),
    );
    const thresholds = thresholdsFor(planOf('day'), own);
    expect(thresholds.calls).toEqual({ direct: { p50Ms: 1, maxMs: 9 } });
    expect(thresholds.minThroughput).toBe(5);
  });

  it('that are wrong are refused with the setting', () => {
    const path = fileWith({ calls: { deliveries: { p99Ms: 1 }, ack: { p99: 1 } } });
    expect(() => readThresholdsFile(path)).toThrow(/calls\.ack: .*p99[\s\S]*calls: .*deliveries/);
  });

  it('of the k6 scripts are those of this file', () => {
    expect(JSON.parse(readFileSync(defaultThresholdsPath, 'utf8'))).toMatchObject(file);
  });
});
