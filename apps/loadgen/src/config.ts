import { readFileSync } from 'node:fs';
import { LoadgenError } from './errors.ts';

/** Other users can see a command line, so secrets are in the environment. @throws {LoadgenError} */
export function readSecret(name: string): string {
  const secret = process.env[name];
  // A hub's own variable may hold several secrets. The first one signs.
  if (secret) return secret.split(',')[0]?.trim() ?? secret;
  throw new LoadgenError(
    'invalid_options',
    `The environment variable ${name} (--token-secret-env) is not set.`,
  );
}

/** @throws {LoadgenError} if the file cannot be read or holds no certificate in PEM */
export function readCertificate(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new LoadgenError('invalid_options', `--ca ${path} cannot be read: ${why}`, { cause });
  }
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw new LoadgenError('invalid_options', `--ca ${path} holds no certificate in PEM.`);
}
