/** Descriptors kept for the database, Redis, files and the operations port. */
const ownFiles = 256;
/** Assumed where the system does not report its limit: most allow at least this. */
const assumedFiles = 1_024;
/** The surplus is the limit divided by this, within the two bounds below. */
const surplusPart = 8;
const minSurplus = 16;
const maxSurplus = 1_024;

/** How many connections a hub takes. */
export interface ConnectionLimits {
  /** Connections that are served. */
  readonly served: number;
  /** Further connections that are accepted only to be told when to come back; beyond them connections are dropped. */
  readonly surplus: number;
}

/** How many files (and so connections) this process may have open; null where the system does not report it. */
export function openFilesLimit(): number | null {
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork: boolean };
  const { excludeNetwork } = report;
  // Without this the report would look up the host names of all open connections.
  report.excludeNetwork = true;
  try {
    const { userLimits } = report.getReport() as {
      readonly userLimits?: { readonly open_files?: { readonly soft?: unknown } };
    };
    const soft = Number(userLimits?.open_files?.soft);
    return Number.isSafeInteger(soft) && soft > 0 ? soft : null;
  } finally {
    report.excludeNetwork = excludeNetwork;
  }
}

/** How many connections fit into so many open files: `wanted` if that is given and fits, else as many as fit. */
export function connectionLimits(
  openFiles: number | null,
  wanted: number | null,
): ConnectionLimits {
  const most = Math.max(2 * minSurplus, (openFiles ?? assumedFiles) - ownFiles);
  const surplusOf = (served: number) =>
    Math.min(maxSurplus, Math.max(minSurplus, Math.floor(served / surplusPart)));
  // Of `most` together, the surplus is an eighth of the rest.
  const fitting = most - surplusOf(Math.floor((most * surplusPart) / (surplusPart + 1)));
  // Where the system reports no limit, the configured one is believed.
  const served = openFiles === null ? (wanted ?? fitting) : Math.min(wanted ?? fitting, fitting);
  return { served, surplus: surplusOf(served) };
}
