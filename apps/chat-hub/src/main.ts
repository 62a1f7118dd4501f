import { pino } from 'pino';
import { ConfigError, readConfig, type Config } from './config.ts';
import { notifyReady } from './observe/service-manager.ts';
import { startHub, type RunningHub } from './start-hub.ts';

/** The longest a shutdown may take. */
const shutdownMs = 20_000;

function fail(sentence: string): never {
  process.stderr.write(`chat-hub: ${sentence}\n`);
  process.exit(1);
}

function configured(): Config {
  try {
    return readConfig();
  } catch (error) {
    if (error instanceof ConfigError)
      fail(`the configuration is not valid:\n  ${error.message.replaceAll('\n', '\n  ')}`);
    throw error;
  }
}

function sentenceOf(error: unknown, { host, port, opsPort }: Config): string {
  const { code, message, port: taken } = error as NodeJS.ErrnoException & { port?: number };
  const isOps = taken !== undefined && taken === opsPort;
  const [which, name] = isOps ? [opsPort, 'HUB_OPS_PORT'] : [port, 'HUB_PORT'];
  if (code === 'EADDRINUSE') return `port ${which} on ${host} is in use; set ${name} to another`;
  if (code === 'EACCES')
    return `this user may not listen on port ${which} of ${host}; set ${name} to another`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `this machine has no address ${host}; set HUB_HOST to another`;
  return message;
}

function welcome(hub: RunningHub, config: Config): string {
  const lines = [
    `OpenClaw chat hub on ${hub.url} (WebSocket at /v1/ws, API at /v1/openapi.json), pid ${process.pid}`,
  ];
  if (hub.opsUrl !== null) lines.push(`Readiness and metrics on ${hub.opsUrl}.`);
  if (config.redis === null && !hub.redis.available) {
    const database = config.databaseUrl.startsWith('sqlite:') ? 'SQLite' : 'PostgreSQL';
    lines.push(
      `Embedded mode: messages in ${database}, presence and typing in memory. A Redis on localhost:6379 is used as soon as it answers; set REDIS_URL to name another.`,
    );
  }
  if (config.auth.mode === 'dev')
    lines.push('Dev sign-in: any client on this machine may act as any agent, with ?agent=<id>.');
  return `${lines.join('\n')}\n`;
}

async function main(): Promise<void> {
  if (process.argv.length > 2)
    fail('it takes no options; set variables of the environment, such as HUB_PORT (see README.md)');
  const config = configured();
  const log = pino({
    level: config.logLevel,
    redact: [
      'password',
      '*.password',
      'token',
      '*.token',
      'req.headers.authorization',
      'access_token',
    ],
  });
  const hub = await startHub(config, log).catch((error: unknown) =>
    fail(sentenceOf(error, config)),
  );
  process.stderr.write(welcome(hub, config));
  notifyReady(config.notifySocket, log);
  hub.redis.onAvailability((available) => {
    log.info(
      available
        ? 'Redis answers: this hub uses it for presence, typing, limits and live delivery'
        : 'Redis is away: this hub works on without it',
    );
  });

  let isClosing = false;
  const shutDown = (signal: NodeJS.Signals) => {
    if (isClosing) process.exit(1);
    isClosing = true;
    log.info({ signal }, 'shutting down; a second signal stops the hub at once');
    setTimeout(() => fail('the shutdown took too long'), shutdownMs).unref();
    hub.close().then(
      () => process.exit(0),
      (error: unknown) => fail(String(error)),
    );
  };
  process.on('SIGINT', shutDown);
  process.on('SIGTERM', shutDown);
}

await main();
