import { pino, type Logger } from 'pino';
import { ConfigError, isProduction, parseConfig, readEnvironment, type Config } from './config.ts';
import { notifyReady } from './observe/service-manager.ts';
import { startHub, type RunningHub } from './start-hub.ts';

/** After the drain, a shutdown takes at most this long. */
const shutdownMs = 10_000;

const environment = readEnvironment();
const isJson = isProduction(environment);
const earlyLog = pino({ level: 'info' });

function fail(sentence: string, log = earlyLog): never {
  if (isJson) log.fatal(sentence);
  else process.stderr.write(`chat-hub: ${sentence}\n`);
  process.exit(1);
}

function configured(): Config {
  try {
    return parseConfig(environment);
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

function welcome(hub: RunningHub, config: Config): string[] {
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
  return lines;
}

/** Uncaught errors and Node's warnings would otherwise be printed as text. */
function logProcessEvents(log: Logger): void {
  process.on('warning', (warning) => log.warn({ err: warning }, 'a warning of Node'));
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'an error was not caught');
    process.exit(1);
  });
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
  if (isJson) {
    process.removeAllListeners('warning');
    logProcessEvents(log);
  }
  const hub = await startHub(config, log).catch((error: unknown) =>
    fail(sentenceOf(error, config), log),
  );
  for (const line of welcome(hub, config))
    if (isJson) hub.log.info(line);
    else process.stderr.write(`${line}\n`);
  notifyReady(config.notifySocket, hub.log);
  // If Redis is configured, its client already logs outages.
  if (config.redis === null)
    hub.redis.onAvailability((available) => {
      hub.log.info(
        available
          ? 'Redis answers: this hub uses it for presence, typing, limits and live delivery'
          : 'Redis is away: this hub works on without it',
      );
    });

  let isClosing = false;
  const shutDown = (signal: NodeJS.Signals) => {
    if (isClosing) process.exit(1);
    isClosing = true;
    hub.log.info({ signal }, 'shutting down; a second signal stops the hub at once');
    const longestMs = config.drainDelayMs + config.drainMs + shutdownMs;
    setTimeout(
      () => fail('the shutdown took too long, so the hub exits without waiting for it', hub.log),
      longestMs,
    ).unref();
    hub.close().then(
      () => process.exit(0),
      (error: unknown) => fail(String(error), hub.log),
    );
  };
  process.on('SIGINT', shutDown);
  process.on('SIGTERM', shutDown);
}

await main();
