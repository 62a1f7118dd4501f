/** The environment of the demo's hub: this process's own, with dev sign-in on the loopback interface. */
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

/** An empty variable counts as unset. The hub does the same. */
export function hasHubPort(): boolean {
  return Boolean(process.env.HUB_PORT);
}
