/** What is kept back for the database, Redis, files and the operations port. */
const ownFiles = 256;
/** Where the system does not say: what most allow at least. */
const assumedFiles = 1_024;
/** Connections beyond the limit that may be told so at a time, as a part of the limit. */
const surplusPart = 8;
const minSurplus = 16;
const maxSurplus = 1_024;

/** How many connections a hub takes. */
export interface ConnectionLimits {
  /** These are served. */
  readonly served: number;
  /** So many more are taken, to be told when to come back; beyond them the system's own refusal is all there is. */
  readonly surplus: number;
}

/** How many files (and so connections) this process may have open; null where the system does not say. */
export function openFilesLimit(): number | null {
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork: boolean };
  const { excludeNetwork } = report;
  // Else it would look up the names of all open connections.
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

/** How many connections fit in so many open files; `wanted` of them if it is said and they fit. */
export function connectionLimits(
  openFiles: number | null,
  wanted: number | null,
): ConnectionLimits {
  const most = Math.max(2 * minSurplus, (openFiles ?? assumedFiles) - ownFiles);
  const surplusOf = (served: number) =>
    Math.min(maxSurplus, Math.max(minSurplus, Math.floor(served / surplusPart)));
  // Of `most` together, the surplus is an eighth of the rest.
  const fitting = most - surplusOf(Math.floor((most * surplusPart) / (surplusPart + 1)));
  // Where the system does not say, who sets a limit knows better.
  const served = openFiles === null ? (wanted ?? fitting) : Math.min(wanted ?? fitting, fitting);
  return { served, surplus: surplusOf(served) };
}
