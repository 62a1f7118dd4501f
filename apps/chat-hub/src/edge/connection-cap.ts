import { readFileSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** The hub keeps these file descriptors for the database, Redis, files and the operations port. */
const ownFiles = 256;
/** The hub assumes this limit where the system reports none. Most systems allow at least this. */
const assumedFiles = 1_024;
const surplusShare = 1 / 8;
const minSurplus = 16;
const maxSurplus = 1_024;

export interface ConnectionLimits {
  readonly served: number;
  /** Surplus connections are accepted only to answer when the client may reconnect. Any more are dropped. */
  readonly surplus: number;
}

export function openFilesLimit(): number | null {
  const soft = Number(limitOfLinux() ?? limitOfReport());
  return Number.isSafeInteger(soft) && soft > 0 ? soft : null;
}

function limitOfLinux(): string | undefined {
  try {
    return /^Max open files +(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}

/** Slower, because every thread adds to the report. */
function limitOfReport(): unknown {
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork: boolean };
  const { excludeNetwork } = report;
  // Without this option the report would look up the host names of all open connections.
  report.excludeNetwork = true;
  try {
    const { userLimits } = report.getReport() as {
      readonly userLimits?: { readonly open_files?: { readonly soft?: unknown } };
    };
    return userLimits?.open_files?.soft;
  } finally {
    report.excludeNetwork = excludeNetwork;
  }
}

/** Serves `wanted` connections if it is not null and fits, else as many as fit. */
export function connectionLimits(
  openFiles: number | null,
  wanted: number | null,
): ConnectionLimits {
  const most = Math.max(2 * minSurplus, (openFiles ?? assumedFiles) - ownFiles);
  const surplusOf = (served: number) =>
    Math.min(maxSurplus, Math.max(minSurplus, Math.floor(served * surplusShare)));
  const fitting = most - surplusOf(Math.floor(most / (1 + surplusShare)));
  // A configured number is trusted where the system reports no limit.
  const served = openFiles === null ? (wanted ?? fitting) : Math.min(wanted ?? fitting, fitting);
  return { served, surplus: surplusOf(served) };
}

const soonestMs = 1_000;
const latestMs = 60_000;

/** At most `perSecond` surplus clients get the same second for their reconnect. */
export function createConnectionCap({
  served,
  surplus,
  perSecond,
}: ConnectionLimits & { readonly perSecond: number }) {
  const surpluses = new WeakSet<Duplex>();
  let open = 0;
  let dropped = 0;
  let lastSlotMs = 0;

  function nextSlotMs(): number {
    const nowMs = performance.now();
    lastSlotMs = Math.max(nowMs + soonestMs, lastSlotMs + 1_000 / perSecond);
    if (lastSlotMs > nowMs + latestMs) lastSlotMs = nowMs + soonestMs;
    return Math.ceil(lastSlotMs - nowMs);
  }

  return {
    watch(server: Server) {
      server.maxConnections = served + surplus;
      server.on('connection', (socket: Socket) => {
        open += 1;
        if (open > served) surpluses.add(socket);
        socket.once('close', () => (open -= 1));
      });
      server.on('drop', () => (dropped += 1));
    },
    /**
     * Null for a served connection, else the delay after which its client may reconnect. Each call gives a new delay.
     */
    surplusMs: (socket: Duplex) => (surpluses.has(socket) ? nextSlotMs() : null),
    get open() {
      return open;
    },
    limit: served,
    surplus,
    /**
     * Counts connections that were dropped without an answer, because the limit and the surplus were both used up.
     */
    get dropped() {
      return dropped;
    },
  };
}

export type ConnectionCap = ReturnType<typeof createConnectionCap>;
