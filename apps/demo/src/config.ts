/**
 * Unsets the variables with which a .env file may configure a hub's database. The demo has its own database, and names
 * it in `HUB_DB_URL`.
 */
const unsetDatabase = Object.fromEntries(
  ['URL_FILE', 'HOST', 'PORT', 'NAME', 'USER', 'PASSWORD', 'PASSWORD_FILE', 'PARAMETERS'].map(
    (part) => [`HUB_DB_${part}`, ''],
  ),
);

/** Returns this process's environment with the settings for dev sign-in on the loopback interface. */
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
    ...unsetDatabase,
    HUB_DB_URL: `sqlite:${dataFile}`,
  };
}

/** An empty variable counts as unset, as in the hub. */
export function hasHubPort(): boolean {
  return Boolean(process.env.HUB_PORT);
}
