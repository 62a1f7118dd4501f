// Run as a process: node sqlite-vacuum.ts FROM TO. VACUUM INTO blocks its thread, so only killing a process can stop
// it. It reads one snapshot while the hub writes. It leaves out free pages, which may hold deleted texts.
import { setPriority } from 'node:os';
import { DatabaseSync } from 'node:sqlite';

const [from = '', to = ''] = process.argv.slice(2);
try {
  // On a machine with few cores, the hub has priority.
  setPriority(10);
  const database = new DatabaseSync(from, { readOnly: true });
  database.exec('PRAGMA busy_timeout = 10000');
  const takenAtMs = Date.now();
  database.prepare('VACUUM INTO ?').run(to);
  database.close();
  const copy = new DatabaseSync(to, { readOnly: true });
  const { quick_check: result } = copy.prepare('PRAGMA quick_check(1)').get() as {
    quick_check: string;
  };
  copy.close();
  if (result !== 'ok') throw new Error(`the copy is damaged, and so is the database: ${result}`);
  process.stdout.write(String(takenAtMs));
} catch (error) {
  process.stderr.write((error as Error).message);
  process.exitCode = 1;
}
