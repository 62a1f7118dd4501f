import { inspectStore, type StoreInspection } from '@openclaw/chat-store';
import { age, bytes, count, line, ms, orNull, type Line, type Section } from './line.ts';

export interface DatabaseFacts {
  readonly shownUrl: string;
  /** Null if the database was not reached; `failure` says why. */
  readonly inspection: StoreInspection | null;
  readonly tookMs: number;
  readonly failure: string | null;
}

/** Does not change the database. Never rejects; ends within `timeoutMs`. */
export async function readDatabase(url: string, timeoutMs: number): Promise<DatabaseFacts> {
  const startMs = performance.now();
  const facts = (inspection: StoreInspection | null, failure: string | null): DatabaseFacts => ({
    shownUrl: shownUrlOf(url),
    inspection,
    tookMs: performance.now() - startMs,
    failure,
  });
  try {
    const inspection = await orNull(inspectStore(url, { timeoutMs }), timeoutMs);
    return facts(inspection, inspection === null ? `no answer in ${timeoutMs} ms` : null);
  } catch (error) {
    return facts(null, (error as Error).message);
  }
}

function shownUrlOf(url: string): string {
  if (url.startsWith('sqlite:')) return url;
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

export function databaseSection(facts: DatabaseFacts, nowMs: number): Section {
  return { title: 'Database', subject: facts.shownUrl, lines: databaseLines(facts, nowMs) };
}

function databaseLines({ inspection, tookMs, failure }: DatabaseFacts, nowMs: number): Line[] {
  if (inspection === null) {
    const advice =
      'no send is accepted without it: start the database, or correct HUB_DB_URL here; then read its own log';
    return [line('reachable', 'down', failure ?? 'no answer', advice)];
  }
  const { engine, sizeBytes, channels, newest, transactionLag, hubs } = inspection;
  const lines = [
    line('reachable', 'ok', `${engine}, read in ${ms(tookMs)}`),
    schemaLine(inspection),
    line(
      'size',
      'ok',
      channels === null ? bytes(sizeBytes) : `${bytes(sizeBytes)}, ${count(channels)} channels`,
    ),
    line(
      'head',
      'ok',
      newest === null
        ? 'no event yet'
        : `newest event ${age(nowMs - newest.atMs)} ago: ${newest.channelId}, seq ${newest.seq}`,
    ),
  ];
  const lag = `${count(transactionLag)} transactions since the oldest open one`;
  lines.push(
    transactionLag > 10_000
      ? line(
          'tail horizon',
          'degraded',
          lag,
          'a transaction stays open: find the oldest xact_start in pg_stat_activity, and end it',
        )
      : line('tail horizon', 'ok', engine === 'sqlite' ? 'no open transaction delays it' : lag),
  );
  lines.push(hubsLine(hubs));
  return lines;
}

function schemaLine({ schema }: StoreInspection): Line {
  const { latest, pending, newer } = schema;
  if (newer.length > 0)
    return line(
      'schema',
      'degraded',
      `${latest} is of a newer release`,
      'a hub of this release does not start here: use the newer one',
    );
  if (latest === null)
    return line('schema', 'degraded', 'none yet', 'the first hub that starts creates it');
  if (pending.length > 0)
    return line(
      'schema',
      'degraded',
      `${latest}; ${pending.length} migrations of this release are missing`,
      'the next hub of this release that starts applies them',
    );
  return line('schema', 'ok', `${latest}, the newest of this release`);
}

/** A hub without a heartbeat for this long counts as dead. Heartbeats come every 2 s. */
export const deadMs = 5_000;

function hubsLine(hubs: StoreInspection['hubs']): Line {
  const living = hubs.filter(({ lastBeatAgoMs }) => lastBeatAgoMs <= deadMs);
  const silent = hubs.length - living.length;
  const seen = [
    `${living.length} beating`,
    ...(silent > 0 ? [`${silent} silent for up to a minute`] : []),
  ].join(', ');
  if (living.length === 0)
    return line(
      'hubs',
      'degraded',
      seen,
      'no hub uses this database: start one, or correct HUB_DB_URL',
    );
  // A hub that was stopped normally is silent too, so silence alone is no fault.
  return line('hubs', 'ok', seen);
}
