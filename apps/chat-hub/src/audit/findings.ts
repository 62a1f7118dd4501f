export type Check =
  | 'unknown name'
  | 'foreign key'
  | 'wrong type'
  | 'missing TTL'
  | 'wrong TTL'
  | 'oversized'
  | 'malformed'
  | 'orphan'
  | 'slot split'
  | 'policy'
  | 'persistence'
  | 'settings'
  | 'replication';

export interface Problem {
  readonly check: Check;
  readonly subject: string;
  readonly key: string | null;
  readonly text: string;
}

export interface Finding {
  readonly check: Check;
  readonly subject: string;
  readonly count: number;
  readonly samples: readonly { readonly key: string | null; readonly text: string }[];
}

export interface Findings {
  readonly count: number;
  add(problem: Problem): void;
  list(): readonly Finding[];
}

/**
 * Groups problems by check and subject. A subject is a key pattern or a server, so there are few groups. Each group
 * keeps at most `maxSamples` samples, so the memory is bounded.
 */
export function createFindings(maxSamples: number): Findings {
  const groups = new Map<string, { finding: Finding; seen: Set<string> }>();
  let count = 0;
  return {
    get count() {
      return count;
    },
    add({ check, subject, key, text }) {
      const name = `${check} ${subject}`;
      const group = groups.get(name) ?? {
        finding: { check, subject, count: 0, samples: [] },
        seen: new Set<string>(),
      };
      const shown = key === null ? null : printable(key);
      // SCAN may return a key twice.
      const identity = `${shown} ${text}`;
      if (group.seen.has(identity)) return;
      count += 1;
      const { finding, seen } = group;
      const hasPlace = finding.samples.length < maxSamples;
      if (hasPlace) seen.add(identity);
      groups.set(name, {
        seen,
        finding: {
          ...finding,
          count: finding.count + 1,
          samples: hasPlace ? [...finding.samples, { key: shown, text }] : finding.samples,
        },
      });
    },
    list: () => [...groups.values()].map(({ finding }) => finding),
  };
}

const shownChars = 120;

/** Replaces characters that could control the terminal, because keys of other programs may hold any byte. */
export function printable(key: string): string {
  const line = key.replace(/[^\x20-\x7e\xa0-\uffff]/g, '·');
  return line.length > shownChars ? `${line.slice(0, shownChars)}…` : line;
}
