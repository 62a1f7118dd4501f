import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { monitoringFolder } from '../repository.ts';
import { channels } from './channels.ts';
import { hub } from './hub.ts';
import { overview } from './overview.ts';
import { redis } from './redis.ts';

export const dashboards: Readonly<Record<string, Dashboard>> = {
  overview: overview(),
  redis: redis(),
  hub: hub(),
  channels: channels(),
};

export const dashboardsFolder = join(monitoringFolder, 'dashboards');
const pathOf = (name: string) => join(dashboardsFolder, `${name}.json`);
const textOf = (dashboard: Dashboard) => `${JSON.stringify(dashboard, null, 2)}\n`;

export async function writeDashboards(): Promise<void> {
  for (const [name, dashboard] of Object.entries(dashboards))
    await writeFile(pathOf(name), textOf(dashboard));
}

export async function driftedDashboards(): Promise<string[]> {
  const drifted: string[] = [];
  for (const [name, dashboard] of Object.entries(dashboards)) {
    const written = await readFile(pathOf(name), 'utf8').catch(() => null);
    if (written !== textOf(dashboard)) drifted.push(name);
  }
  return drifted;
}
