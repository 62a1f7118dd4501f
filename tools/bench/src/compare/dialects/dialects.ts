import { centrifugoDialect } from './centrifugo.ts';
import type { Dialect } from './dialect.ts';
import { hubDialect } from './hub.ts';
import { plainDialect } from './plain.ts';
import { socketIoDialect } from './socket-io.ts';

export const dialects = {
  hub: hubDialect,
  centrifugo: centrifugoDialect,
  'socket-io': socketIoDialect,
  plain: plainDialect,
} as const satisfies Record<string, Dialect>;

export type DialectName = keyof typeof dialects;
