import { LoadgenError } from './errors.ts';

/** Reads a secret from the environment, because other users can see a command line. @throws {LoadgenError} */
export function readSecret(name: string): string {
  const secret = process.env[name];
  if (secret) return secret;
  throw new LoadgenError(
    'invalid_options',
    `The environment variable ${name} (--token-secret-env) is not set.`,
  );
}
