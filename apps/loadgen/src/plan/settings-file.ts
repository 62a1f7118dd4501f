import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { LoadgenError } from '../errors.ts';

/** @throws {LoadgenError} that names the file and each wrong setting */
export function parseSettings<T extends z.ZodType>(path: string, schema: T): z.output<T> {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new LoadgenError('invalid_options', `${path} cannot be read: ${why}`, { cause });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path: at, message }) =>
    at.length === 0 ? message : `${at.join('.')}: ${message}`,
  );
  throw new LoadgenError('invalid_options', `${path} is not valid:\n  ${issues.join('\n  ')}`);
}
