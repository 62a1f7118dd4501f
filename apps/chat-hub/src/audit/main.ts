import { openRedisServers, RedisClientError } from '@openclaw/redis-client';
import { readEnvironment } from '../config.ts';
import { usesColours } from '../observe/terminal.ts';
import { help, readArguments, UsageError, type AuditArguments } from './arguments.ts';
import { audit, type Progress } from './audit.ts';
import { textReport } from './text-report.ts';

const environment = readEnvironment();

function fail(sentence: string): never {
  process.stderr.write(`audit: ${sentence}\n`);
  process.exit(2);
}

function configured(): AuditArguments {
  try {
    const given = readArguments(process.argv.slice(2), environment);
    if (given !== null) return given;
  } catch (error) {
    if (error instanceof UsageError) fail(`${error.message}\n\n${help}`);
    throw error;
  }
  process.stdout.write(`${help}\n`);
  process.exit(0);
}

function createProgressLine() {
  const { stderr } = process;
  let shownMs = -Infinity;
  return {
    show({ keys, ofKeys, findings }: Progress): void {
      if (!stderr.isTTY || performance.now() - shownMs < 200) return;
      shownMs = performance.now();
      const of = ofKeys === null ? '' : ` of about ${ofKeys}`;
      stderr.write(`\r\x1b[Kaudit: ${keys}${of} keys, ${findings} findings`);
    },
    end(): void {
      if (stderr.isTTY) stderr.write('\r\x1b[K');
    },
  };
}

async function main(): Promise<void> {
  const { connection, shownUrl, preferReplicas, isJson, options } = configured();
  const progress = createProgressLine();
  try {
    const servers = await openRedisServers(connection, {
      preferReplicas,
      connectionName: 'openclaw-audit',
    });
    const report = await audit(servers, options, (now) => progress.show(now));
    servers.close();
    progress.end();
    const isColored = usesColours(process.stdout, environment);
    process.stdout.write(
      isJson
        ? `${JSON.stringify({ url: shownUrl, ...report }, null, 2)}\n`
        : textReport(report, shownUrl, isColored),
    );
    process.exitCode = report.clean ? 0 : 1;
  } catch (error) {
    progress.end();
    // An uncaught error would exit with 1, the code for findings.
    if (!(error instanceof RedisClientError)) fail(String((error as Error).stack));
    const hint = /NOPERM/.test(error.message)
      ? '; the audit needs SCAN and the reads of a user such as admin (see docs/operations.md)'
      : '';
    fail(`${shownUrl}: ${error.message}${hint}`);
  }
}

await main();
