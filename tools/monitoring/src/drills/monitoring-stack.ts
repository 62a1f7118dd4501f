import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  freePort,
  startProcess,
  temporaryFolder,
  waitFor,
  type ServerProcess,
} from '@openclaw/test-support';
import { stringify } from 'yaml';
import { filesIn, readMonitoringYaml, type RuleFile } from '../alert-rules.ts';
import { startAlertReceiver, type AlertReceiver } from './alert-receiver.ts';
import { exporterPassword } from './production-redis.ts';
import { quickRules } from './quick-rules.ts';

export interface Restartable {
  readonly address: string;
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
  readonly output: () => string;
}

export interface MonitoringStack extends AsyncDisposable {
  readonly prometheusUrl: string;
  readonly alertmanagerUrl: string;
  readonly targetsFolder: string;
  readonly receiver: AlertReceiver;
  readonly redisExporter: Restartable;
  readonly postgresExporter: Restartable;
  readonly nodeExporter: Restartable;
  readonly alertmanager: Restartable;
  /** The folder in which the node exporter finds the age of the backups. */
  readonly backupsFolder: string;
  readonly prometheus: Restartable;
  setWebhookToken(token: string): Promise<void>;
  setHubs(hosts: readonly string[]): Promise<void>;
  setRedisNodes(urls: readonly string[]): Promise<void>;
  query(expr: string): Promise<readonly Sample[]>;
  /** True while the alert is active in Alertmanager, even if it is silenced or inhibited. */
  isFiring(alert: string, severity: 'page' | 'ticket'): Promise<boolean>;
}

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [atSeconds: number, value: string];
}

export const webhookToken = 'of-this-test';

async function getJson<T>(url: string): Promise<T> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as T;
}

export async function startMonitoring(watched: {
  readonly hubs: readonly string[];
  readonly redisUrls: readonly string[];
  readonly postgresUrl: string;
}): Promise<MonitoringStack> {
  const folder = await temporaryFolder('monitoring');
  const at = (...parts: string[]) => join(folder.path, ...parts);
  for (const name of ['rules', 'targets', 'secrets', 'data', 'backups'])
    await mkdir(at(name), { recursive: true });
  const ports = {
    prometheus: await freePort(),
    alertmanager: await freePort(),
    redisExporter: await freePort(),
    postgresExporter: await freePort(),
    nodeExporter: await freePort(),
    receiver: await freePort(),
  };
  const host = (port: number) => `127.0.0.1:${port}`;
  const target = (name: string, groups: readonly object[]) =>
    writeFile(at('targets', `${name}.yml`), stringify(groups));
  const setHubs = (hosts: readonly string[]) => target('chat-hub', [{ targets: hosts }]);
  const setRedisNodes = (urls: readonly string[]) =>
    target(
      'redis',
      urls.map((url) => ({
        targets: [host(ports.redisExporter)],
        labels: { __param_target: url },
      })),
    );
  await setHubs(watched.hubs);
  await setRedisNodes(watched.redisUrls);
  await target('postgres', [{ targets: [host(ports.postgresExporter)] }]);
  await target('node', [{ targets: [host(ports.nodeExporter)] }]);
  await target('alertmanager', [{ targets: [host(ports.alertmanager)] }]);
  await target('prometheus', [{ targets: [host(ports.prometheus)] }]);

  for (const name of await filesIn('rules')) {
    const rules = await readMonitoringYaml<RuleFile>(`rules/${name}`);
    await writeFile(at('rules', name), stringify(quickRules(rules)));
  }
  const prometheus = await readMonitoringYaml<{ global: object }>('prometheus.yml');
  // While PostgreSQL is down, a scrape of its exporter takes a second, so the timeout must be longer.
  prometheus.global = { scrape_interval: '2s', scrape_timeout: '2s', evaluation_interval: '1s' };
  await writeFile(at('prometheus.yml'), stringify(prometheus));
  const alertmanager = await readMonitoringYaml<{
    route: Record<string, unknown>;
    receivers: { webhook_configs: { url: string }[] }[];
  }>('alertmanager.yml');
  Object.assign(alertmanager.route, { group_wait: '1s', group_interval: '1s' });
  for (const { webhook_configs: hooks } of alertmanager.receivers)
    for (const hook of hooks)
      hook.url = hook.url.replace(/^http:\/\/[^/]+/, `http://${host(ports.receiver)}`);
  await writeFile(at('alertmanager.yml'), stringify(alertmanager));
  const setWebhookToken = (token: string) => writeFile(at('secrets', 'webhook-token'), token);
  await setWebhookToken(webhookToken);

  const receiver = await startAlertReceiver(ports.receiver, webhookToken);
  const programs: ReturnType<typeof restartable>[] = [];
  function restartable(
    command: string,
    args: readonly string[],
    port: number,
    path: string,
    env: Readonly<Record<string, string>> = {},
  ) {
    let program: ServerProcess | null = null;
    return {
      address: host(port),
      output: () => program?.output() ?? '',
      async stop() {
        await program?.stop('SIGTERM');
        program = null;
      },
      async start() {
        if (program) return;
        const started = startProcess(command, args, {
          cwd: folder.path,
          env: { PATH: process.env['PATH'], ...env },
        });
        program = started;
        await waitFor(
          () =>
            fetch(`http://${host(port)}${path}`).then(
              ({ ok }) => ok,
              () => false,
            ),
          {
            timeoutMs: 30_000,
            what: command,
          },
        ).catch((error: unknown) => {
          throw new Error(`${String(error)}: ${started.output()}`);
        });
      },
    };
  }
  const start = async (...args: Parameters<typeof restartable>) => {
    const program = restartable(...args);
    programs.push(program);
    await program.start();
    return program;
  };

  async function dispose() {
    for (const program of programs.toReversed()) await program.stop();
    await receiver.stop();
    await folder.remove();
  }

  try {
    const redisExporter = await start(
      'prometheus-redis-exporter',
      ['-web.listen-address', host(ports.redisExporter)],
      ports.redisExporter,
      '/health',
      {
        REDIS_ADDR: '',
        REDIS_USER: 'exporter',
        REDIS_PASSWORD: exporterPassword,
        REDIS_EXPORTER_CONFIG_COMMAND: '-',
      },
    );
    const postgresExporter = await start(
      'prometheus-postgres-exporter',
      ['--web.listen-address', host(ports.postgresExporter), '--log.level', 'error'],
      ports.postgresExporter,
      '/',
      { DATA_SOURCE_NAME: `${watched.postgresUrl}?sslmode=disable` },
    );
    const nodeExporter = await start(
      'prometheus-node-exporter',
      [
        `--web.listen-address=${host(ports.nodeExporter)}`,
        '--collector.disable-defaults',
        '--collector.textfile',
        `--collector.textfile.directory=${at('backups')}`,
        '--log.level=error',
      ],
      ports.nodeExporter,
      '/',
    );
    const alertmanagerProgram = await start(
      'prometheus-alertmanager',
      [
        `--config.file=${at('alertmanager.yml')}`,
        `--storage.path=${at('data', 'alertmanager')}`,
        `--web.listen-address=${host(ports.alertmanager)}`,
        '--cluster.listen-address=',
      ],
      ports.alertmanager,
      '/-/ready',
    );
    const prometheusProgram = await start(
      'prometheus',
      [
        `--config.file=${at('prometheus.yml')}`,
        `--storage.tsdb.path=${at('data', 'prometheus')}`,
        `--web.listen-address=${host(ports.prometheus)}`,
        // When Prometheus stops repeating an alert, Alertmanager ends it after a few multiples of this delay.
        '--rules.alert.resend-delay=1s',
      ],
      ports.prometheus,
      '/-/ready',
    );
    const prometheusUrl = `http://${host(ports.prometheus)}`;
    const alertmanagerUrl = `http://${host(ports.alertmanager)}`;
    return {
      prometheusUrl,
      alertmanagerUrl,
      targetsFolder: at('targets'),
      receiver,
      redisExporter,
      postgresExporter,
      nodeExporter,
      alertmanager: alertmanagerProgram,
      prometheus: prometheusProgram,
      setWebhookToken,
      backupsFolder: at('backups'),
      setHubs,
      setRedisNodes,
      async query(expr) {
        const { data } = await getJson<{ data: { result: Sample[] } }>(
          `${prometheusUrl}/api/v1/query?query=${encodeURIComponent(expr)}`,
        );
        return data.result;
      },
      async isFiring(alert, severity) {
        const filters = [`alertname="${alert}"`, `severity="${severity}"`];
        const query = filters.map((filter) => `filter=${encodeURIComponent(filter)}`).join('&');
        const found = await getJson<unknown[]>(`${alertmanagerUrl}/api/v2/alerts?${query}`);
        return found.length > 0;
      },
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}
