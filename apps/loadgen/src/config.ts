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

/** This process's environment, for a hub that the demo starts: with dev sign-in, whatever it says of that. */
export function hubEnvironment({
  port,
  dataFile,
}: {
  readonly port: number;
  readonly dataFile: string;
}): NodeJS.ProcessEnv {
  return {
    LOG_LEVEL: 'error',
    ...process.env,
    NODE_ENV: 'development',
    HUB_AUTH: 'dev',
    HUB_HOST: '127.0.0.1',
    HUB_PORT: String(port),
    HUB_DB_URL: `sqlite:${dataFile}`,
  };
}
