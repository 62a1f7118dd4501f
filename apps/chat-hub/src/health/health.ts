import type { Config } from '../config.ts';
import { commonIssues } from './common-issues.ts';
import { databaseSection, readDatabase } from './database-section.ts';
import { hubSection, readHub } from './hub-section.ts';
import { worst, type Section } from './line.ts';
import { readRedis } from './redis-facts.ts';
import { redisSection } from './redis-section.ts';

export interface HealthReport {
  /**
   * `down` means that the hub or its database does not serve. `degraded` means that it serves, but a line of the report
   * needs attention.
   */
  readonly status: 'ok' | 'degraded' | 'down';
  readonly atMs: number;
  readonly tookMs: number;
  readonly sections: readonly Section[];
}

const timeoutMs = 2_500;

/** Never rejects; ends within three seconds. */
export async function readReport(config: Config, isProduction: boolean): Promise<HealthReport> {
  const startMs = performance.now();
  const atMs = Date.now();
  const [hub, database, redis] = await Promise.all([
    readHub(config, timeoutMs),
    readDatabase(config.databaseUrl, timeoutMs),
    readRedis(config.redis, timeoutMs),
  ]);
  const { inspection } = database;
  const context = { isProduction, hubs: inspection?.hubs ?? null, nowMs: Date.now() };
  const sections = [
    hubSection(hub),
    databaseSection(database, context.nowMs),
    redisSection(redis, context),
    commonIssues({ hub, database, redis }),
  ];
  return {
    status: worst(sections.flatMap(({ lines }) => lines)),
    atMs,
    tookMs: Math.round(performance.now() - startMs),
    sections,
  };
}
