import { rename, writeFile } from 'node:fs/promises';

export interface BackupFigures {
  readonly takenAtMs: number;
  readonly durationMs: number;
  readonly bytes: number;
  readonly archives: number;
}

/**
 * The textfile collector of Prometheus' node exporter reads the file. A failed backup does not change the file, so the
 * reported time becomes old.
 */
export async function writeMetric(path: string, figures: BackupFigures): Promise<void> {
  const metrics = [
    [
      'openclaw_backup_last_success_timestamp_seconds',
      'Time of the snapshot in the newest backup.',
      figures.takenAtMs / 1000,
    ],
    [
      'openclaw_backup_duration_seconds',
      'How long the newest backup took.',
      figures.durationMs / 1000,
    ],
    ['openclaw_backup_size_bytes', 'Size of the newest backup.', figures.bytes],
    ['openclaw_backup_archives', 'Archives in the folder of the backups.', figures.archives],
  ] as const;
  const text = metrics
    .map(
      ([name, help, value]) => `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${name} ${value}\n`,
    )
    .join('');
  // The collector ignores names that do not end in .prom, so it never reads half a file.
  const partial = `${path}.partial`;
  await writeFile(partial, text, { mode: 0o644 });
  await rename(partial, path);
}
