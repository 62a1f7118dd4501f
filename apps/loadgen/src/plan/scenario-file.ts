import { z } from 'zod';
import { parseSettings } from './settings-file.ts';
import { operationKinds } from './plan.ts';
import { scenarioNames, scenarios, type Scenario } from './scenarios.ts';

const count = z.int().min(1);
const rate = z.number().min(0);
const seconds = z.number().min(0);
const stage = z.strictObject({
  factor: z.number().positive(),
  seconds: z.number().min(0.1),
});
const burst = z
  .strictObject({
    everySeconds: z.number().positive(),
    seconds: z.number().positive(),
    factor: z.number().positive(),
  })
  .refine((value) => value.seconds < value.everySeconds, {
    error: 'seconds must be less than everySeconds',
    path: ['seconds'],
  });

/** Omitted settings come from the scenario that the file extends. */
const scenarioFileSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]{1,40}$/, 'must be lower-case letters, digits and hyphens'),
  extends: z.enum(scenarioNames).default('hall'),
  agents: count.optional(),
  channels: count.optional(),
  channelsPerAgent: count.nullable().optional(),
  rates: z.partialRecord(z.enum(operationKinds), rate).optional(),
  burst: burst.nullable().optional(),
  typingLeadSeconds: seconds.optional(),
  cutEverySeconds: z.number().min(1).nullable().optional(),
  contentChars: z.int().min(20).max(8_000).optional(),
  warmupSeconds: seconds.optional(),
  stages: z.array(stage).min(1).max(100).optional(),
});

/** @throws {LoadgenError} with each wrong setting */
export function readScenarioFile(path: string): Scenario {
  const { extends: parent, rates, ...settings } = parseSettings(path, scenarioFileSchema);
  const basis: Scenario = scenarios[parent];
  const given = Object.fromEntries(
    Object.entries(settings).filter(([, value]) => value !== undefined),
  );
  return { ...basis, ...given, rates: { ...basis.rates, ...rates } };
}
