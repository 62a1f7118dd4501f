import { readFileSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** These file descriptors are not for clients, but for the database, Redis, files and the operations port. */
const ownFiles = 256;
/** The number of open files if the system reports no limit. Most systems allow at least this many. */
const assumedFiles = 1_024;
const surplusShare = 1 / 8;
const minSurplus = 16;
const maxSurplus = 1_024;

export interface ConnectionLimits {
  readonly served: number;
  /**
   * The hub accepts surplus connections only to tell their clients when to reconnect. It drops all connections beyond
   * these.
   */
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

/** Slower than reading /proc, because every thread adds to the report. */
function limitOfReport(): unknown {
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork: boolean };
  const { excludeNetwork } = report;
  // Otherwise the report would look up the host names of all open connections.
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

/** Serves `wanted` connections if they fit. If `wanted` is null or does not fit, serves as many as fit. */
export function connectionLimits(
  openFiles: number | null,
  wanted: number | null,
): ConnectionLimits {
  const most = Math.max(2 * minSurplus, (openFiles ?? assumedFiles) - ownFiles);
  const surplusOf = (served: number) =>
    Math.min(maxSurplus, Math.max(minSurplus, Math.floor(served * surplusShare)));
  const fitting = most - surplusOf(Math.floor(most / (1 + surplusShare)));
  // If the system reports no limit, a configured number is trusted.
  const served = openFiles === null ? (wanted ?? fitting) : Math.min(wanted ?? fitting, fitting);
  return { served, surplus: surplusOf(served) };
}

const soonestMs = 1_000;
const latestMs = 60_000;

/** Spreads the reconnects of surplus clients over the next minute, usually `perSecond` a second. */
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
     * Null for a served connection. For a surplus connection, the delay after which its client may reconnect; each call
     * gives another delay.
     */
    surplusMs: (socket: Duplex) => (surpluses.has(socket) ? nextSlotMs() : null),
    get open() {
      return open;
    },
    limit: served,
    surplus,
    /** The number of connections that were dropped without an answer. */
    get dropped() {
      return dropped;
    },
  };
}

export type ConnectionCap = ReturnType<typeof createConnectionCap>;
