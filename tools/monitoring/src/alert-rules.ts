import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { monitoringFolder } from './repository.ts';

export interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface RuleFile {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
}

export type AlertRule = Rule & { readonly alert: string };

const isYaml = (name: string) => name.endsWith('.yml');

export async function filesIn(folder: 'rules' | 'tests'): Promise<string[]> {
  return (await readdir(join(monitoringFolder, folder))).filter(isYaml).toSorted();
}

export async function readMonitoringYaml<T>(path: string): Promise<T> {
  return parse(await readFile(join(monitoringFolder, path), 'utf8')) as T;
}

/** Two rules may share a name, with different severities. */
export async function readAlerts(): Promise<AlertRule[]> {
  const files = await Promise.all(
    (await filesIn('rules')).map((name) => readMonitoringYaml<RuleFile>(`rules/${name}`)),
  );
  return files
    .flatMap(({ groups }) => groups.flatMap(({ rules }) => rules))
    .filter((rule): rule is AlertRule => rule.alert !== undefined);
}
