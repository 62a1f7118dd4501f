import { isNameId } from './key-schema.ts';
import { keyTable } from './key-table.ts';

export type KeyKind = {
  [Kind in keyof typeof keyTable]: (typeof keyTable)[Kind]['redisType'] extends 'topic'
    ? never
    : Kind;
}[keyof typeof keyTable];

/** An id that the kind does not have is null. */
export interface ParsedKey {
  readonly kind: KeyKind;
  readonly channelId: string | null;
  readonly agentId: string | null;
  readonly action: string | null;
  readonly valueName: string | null;
  /** Null for a kind without an id: hash tags do not change its name. */
  readonly hasHashTag: boolean | null;
}

type IdName = 'channelId' | 'agentId' | 'action' | 'valueName';

interface Pattern {
  readonly kind: KeyKind;
  readonly parts: readonly string[];
  readonly tagged: string | undefined;
}

const patterns: readonly Pattern[] = Object.entries(keyTable)
  .filter(([, { redisType }]) => redisType !== 'topic')
  .map(([kind, { pattern }]) => {
    const parts = pattern.split(':');
    const tagged = ['{channelId}', '{agentId}', '{valueName}'].find((id) => parts.includes(id));
    return { kind: kind as KeyKind, parts, tagged };
  });

/** Null if no schema with this prefix makes the name. Hash tags are optional. */
export function parseKey(name: string, prefix = 'openclaw:'): ParsedKey | null {
  if (!name.startsWith(prefix)) return null;
  const parts = name.slice(prefix.length).split(':');
  for (const pattern of patterns) {
    const parsed = matched(parts, pattern);
    if (parsed !== null) return parsed;
  }
  return null;
}

function matched(parts: readonly string[], { kind, parts: wanted, tagged }: Pattern) {
  if (parts.length !== wanted.length) return null;
  const ids: Record<IdName, string | null> = {
    channelId: null,
    agentId: null,
    action: null,
    valueName: null,
  };
  let hasHashTag: boolean | null = null;
  for (const [index, part] of parts.entries()) {
    const expected = wanted[index] as string;
    if (!expected.startsWith('{')) {
      if (part !== expected) return null;
      continue;
    }
    const inBraces = expected === tagged ? /^\{(.*)\}$/.exec(part)?.[1] : undefined;
    const id = inBraces ?? part;
    if (!isNameId(id)) return null;
    if (expected === tagged) hasHashTag = inBraces !== undefined;
    ids[expected.slice(1, -1) as IdName] = id;
  }
  return { kind, ...ids, hasHashTag };
}
