import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config.ts';
import { count, line, ms, type Line, type Section } from './line.ts';
import { parseDelayBuckets, recentDelayMs } from './recent-delay.ts';

export interface HubFacts {
  readonly url: string;
  readonly opsUrl: string;
  /** Null when the hub does not answer; `failure` says why. */
  readonly aliveMs: number | null;
  readonly failure: string | null;
  readonly version: string | null;
  /** Null unless the hub answers in JSON with the field `ready`. */
  readonly ready: ReadyBody | null;
  /** Maps each metric to its value. The value of a metric with labels is the sum over its labels. */
  readonly metrics: ReadonlyMap<string, number>;
  readonly loopDelayMs: number | null;
}

/** Each part may be missing, because a hub of another release may answer. */
interface ReadyBody {
  readonly status: number;
  readonly ready?: boolean;
  readonly reason?: string | null;
  readonly hubId?: string;
  readonly draining?: boolean;
  readonly database?: { readonly status?: string; readonly latencyMs?: number | null };
  readonly redis?: { readonly status?: string; readonly refusal?: string | null };
  readonly publishPath?: { readonly status?: string; readonly latencyMs?: number | null };
}

/** The hub samples its event loop's delay every 20 ms, so about 25 times in this window. */
const loopWindowMs = 500;

/** Above this delay, pub/sub cannot keep its target of 50 ms. The alert HubEventLoopBusy has the same threshold. */
const loopDelayTargetMs = 50;

const answerBytesMax = 4 * 1024 * 1024;

/** Never rejects; each request ends within `timeoutMs`. */
export async function readHub(config: Config, timeoutMs: number): Promise<HubFacts> {
  const host = reachableHost(config.host);
  const url = `http://${host}:${config.port}`;
  const opsUrl = config.opsPort === null ? url : `http://${host}:${config.opsPort}`;
  const startMs = performance.now();
  const [alive, ready, [metrics, later]] = await Promise.all([
    get(`${url}/healthz`, timeoutMs).then((answer) => ({
      ...answer,
      tookMs: performance.now() - startMs,
    })),
    get(`${opsUrl}/readyz`, timeoutMs),
    getTwice(`${opsUrl}/metrics`, timeoutMs),
  ]);
  const body = parsed(ready.text);
  const isReadiness = body !== null && 'ready' in body;
  return {
    url,
    opsUrl,
    aliveMs: alive.status === 200 ? alive.tookMs : null,
    failure: alive.status === 200 ? null : (alive.failure ?? `/healthz answers ${alive.status}`),
    version: /^hub_build_info\{[^}\n]*version="([^"\n]+)"/m.exec(metrics.text)?.[1] ?? null,
    // An answer without the field `ready` is no readiness report. The hub may serve the report at another port.
    ready: isReadiness ? { ...(body as Partial<ReadyBody>), status: ready.status } : null,
    metrics: parseMetrics(metrics.status === 200 ? metrics.text : ''),
    loopDelayMs: recentDelayMs(parseDelayBuckets(metrics.text), parseDelayBuckets(later.text)),
  };
}

/** Reads twice with a pause between. If the first read fails or leaves too little time, its answer counts twice. */
async function getTwice(url: string, timeoutMs: number): Promise<[first: Answer, second: Answer]> {
  const startMs = performance.now();
  const first = await get(url, timeoutMs);
  const leftMs = Math.floor(timeoutMs - (performance.now() - startMs) - loopWindowMs);
  if (first.status !== 200 || leftMs <= 0) return [first, first];
  await delay(loopWindowMs);
  return [first, await get(url, leftMs)];
}

function reachableHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly failure: string | null;
}

async function get(url: string, timeoutMs: number): Promise<Answer> {
  try {
    const response = await fetch(url, {
      signal: AbortSignal.timeout(timeoutMs),
      redirect: 'error',
    });
    let text = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      if (text.length > answerBytesMax) throw new Error('its answer is too long');
    }
    return { status: response.status, text, failure: null };
  } catch (error) {
    const { name, message, cause } = error as Error & {
      cause?: { code?: string; message?: string };
    };
    const reason = name === 'TimeoutError' ? `no answer in ${timeoutMs} ms` : message;
    return { status: 0, text: '', failure: cause?.code ?? cause?.message ?? reason };
  }
}

function parsed(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}

function parseMetrics(text: string): Map<string, number> {
  const values = new Map<string, number>();
  for (const [, name = '', value] of text.matchAll(/^([a-z_]\w*)(?:\{[^}\n]*\})? (\S+)$/gm)) {
    values.set(name, (values.get(name) ?? 0) + Number(value));
  }
  return values;
}

export function hubSection(facts: HubFacts): Section {
  return { title: 'Hub', subject: facts.url, lines: hubLines(facts) };
}

function hubLines(facts: HubFacts): Line[] {
  const { aliveMs, failure, version, ready, metrics, loopDelayMs, opsUrl } = facts;
  if (aliveMs === null) {
    return [
      line(
        'alive',
        'down',
        failure ?? 'no answer',
        'start the hub (npm start), or correct HUB_HOST and HUB_PORT in this environment; its log says why it ended',
      ),
    ];
  }
  const lines = [
    line(
      'alive',
      'ok',
      `answers in ${ms(aliveMs)}${version === null ? '' : `, version ${version}`}`,
    ),
  ];
  if (ready === null) {
    const advice = 'if the hub has a port of its own for operations, set HUB_OPS_PORT here too';
    return [...lines, line('ready', 'unknown', `${opsUrl}/readyz does not answer`, advice)];
  }
  lines.push(readyLine(ready), socketsLine(metrics), ...loopLine(loopDelayMs), ...redisLine(ready));
  const path = ready.publishPath;
  if (path?.status === 'down') {
    const advice =
      'Redis is away, or a connection receives nothing: the hub reconnects, and reads the log meanwhile';
    lines.push(line('publish path', 'degraded', 'published events are not received back', advice));
  } else if (path?.status === 'ok') {
    lines.push(line('publish path', 'ok', `events are received after ${ms(path.latencyMs ?? 0)}`));
  }
  return lines;
}

const unreadyAdvice: Readonly<Record<string, string>> = {
  newer_schema: 'a newer release has migrated its database: start hubs of that release',
  database_of_this_hub:
    'other hubs reach the database: compare HUB_DB_… and the network of this hub with theirs',
};

function readyLine({ status, reason, hubId, draining, database }: ReadyBody): Line {
  const who = hubId ?? 'the hub';
  const advice = unreadyAdvice[reason ?? ''];
  if (status !== 200 && advice !== undefined)
    return line('ready', 'down', `${who} answers ${status}: ${reason}`, advice);
  if (draining === true)
    return line(
      'ready',
      'degraded',
      `${who} is draining`,
      'it is being stopped; look at the next one',
    );
  if (status === 200 && database?.status !== 'down')
    return line('ready', 'ok', `${who} takes traffic`);
  const cause = database?.status === 'down' ? ', because its database is away' : '';
  return line(
    'ready',
    'down',
    status === 200 ? `${who} cannot write${cause}` : `${who} answers ${status}${cause}`,
    `read the section of the database, then the hub's log`,
  );
}

const refusalAdvice: Readonly<Record<string, string>> = {
  OOM: 'its memory is full: set maxmemory-policy allkeys-lru, or raise maxmemory',
  MISCONF: 'it cannot save: look at the space and the rights of its data folder',
  NOREPLICAS: 'it lacks replicas: set min-replicas-to-write 0, or start them',
  READONLY: 'it is a replica: name the master, or use Sentinel',
  NOPERM: "its user lacks a right: compare users.acl, and see ACL LOG as 'admin'",
};

function redisLine({ redis, publishPath }: ReadyBody): Line[] {
  const refusal = redis?.refusal ?? '';
  if (redis?.status === 'refusing_writes')
    return [
      line(
        'Redis',
        'degraded',
        `refuses writes (${refusal})`,
        refusalAdvice[refusal] ?? 'see its log',
      ),
    ];
  // The publish path is unused when no Redis is configured.
  if (redis?.status !== 'down' || publishPath?.status === 'unused') return [];
  return [line('Redis', 'degraded', 'the hub does not reach it', 'see the section of Redis')];
}

function socketsLine(metrics: ReadonlyMap<string, number>): Line {
  const sockets = metrics.get('hub_sockets');
  const connections = metrics.get('hub_connections');
  if (sockets === undefined || connections === undefined)
    return line('sockets', 'unknown', 'the metrics do not say', 'look at /metrics');
  const limit = metrics.get('hub_connections_limit') ?? 0;
  // Connections include HTTP requests, such as those of this check.
  const seen = `${count(sockets)} of ${count(metrics.get('hub_agents') ?? 0)} agents; ${count(connections)} of ${count(limit)} connections`;
  if (limit > 0 && connections > 0.9 * limit)
    return line(
      'sockets',
      'degraded',
      seen,
      'raise ulimit -n or HUB_MAX_CONNECTIONS, or add a hub',
    );
  return line('sockets', 'ok', seen);
}

function loopLine(delayMs: number | null): Line[] {
  if (delayMs === null) return [];
  const seen = Number.isFinite(delayMs) ? `at most ${ms(delayMs)} late` : 'seconds late';
  return delayMs > loopDelayTargetMs
    ? [line('event loop', 'degraded', seen, 'its core is full: add a hub')]
    : [line('event loop', 'ok', seen)];
}
