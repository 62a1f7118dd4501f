import { LoadgenError } from './errors.ts';

/** The secret in the environment variable of this name: a command line is for everyone to read. @throws {LoadgenError} */
export function readSecret(name: string): string {
  const secret = process.env[name];
  if (secret) return secret;
  throw new LoadgenError(
    'invalid_options',
    `The environment variable ${name} (--token-secret-env) is not set.`,
  );
}
