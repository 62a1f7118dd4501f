import { bytesText, countText, millisecondsText } from './figures.ts';
import type { Snapshot } from './snapshot.ts';

/** The state of each part in a word and a figure. */
export function Tiles({ snapshot }: { snapshot: Snapshot }) {
  const { redis, database } = snapshot;
  const breaker = snapshot.breaker ?? redis?.breaker ?? null;
  const isAlone = redis?.status === 'none';
  const isFallback = snapshot.degraded ?? (redis?.status !== undefined && !isGood(redis.status));
  const memoryMax =
    redis?.maxMemoryBytes != null && redis.maxMemoryBytes > 0
      ? `of ${bytesText(redis.maxMemoryBytes)}`
      : 'no limit set';
  const evicted = redis?.evictedKeys ? ` · ${countText(redis.evictedKeys)} evicted` : '';
  return (
    <dl class="tiles">
      <Tile
        name="Redis"
        value={wordsOf(redis?.status)}
        tone={toneOf(redis?.status)}
        detail={millisecondsText(redis?.latencyMs)}
      />
      <Tile
        name="Redis memory"
        value={bytesText(redis?.usedMemoryBytes)}
        detail={redis?.usedMemoryBytes == null ? '' : `${memoryMax}${evicted}`}
      />
      <Tile
        name="Fallback"
        value={isFallback ? 'this hub alone' : 'not needed'}
        tone={isAlone ? 'plain' : isFallback ? 'warning' : 'good'}
        detail={breaker === null ? '' : `breaker ${wordsOf(breaker)}`}
      />
      <Tile
        name="Database"
        value={wordsOf(database?.status)}
        tone={toneOf(database?.status)}
        detail={millisecondsText(database?.latencyMs)}
      />
      <Tile
        name="Sockets"
        value={countText(snapshot.sockets)}
        detail={
          snapshot.laggingNow === undefined ? '' : `${countText(snapshot.laggingNow)} lag behind`
        }
      />
      <Tile
        name="Agents"
        value={countText(snapshot.agents)}
        detail={`in ${countText(snapshot.rooms)} live channels`}
      />
    </dl>
  );
}

type Tone = 'good' | 'warning' | 'bad' | 'plain';

const isGood = (status: string) => ['ok', 'in_use', 'in use', 'up'].includes(status);
const wordsOf = (status: string | undefined) => status?.replaceAll('_', ' ') ?? '–';

function toneOf(status: string | undefined): Tone {
  if (status === undefined) return 'plain';
  if (isGood(status)) return 'good';
  return status.startsWith('none') ? 'plain' : 'bad';
}

function Tile(props: { name: string; value: string; detail?: string; tone?: Tone }) {
  return (
    <div class={`tile tile-${props.tone ?? 'plain'}`}>
      <dt>{props.name}</dt>
      <dd>
        <span class="tile-value">{props.value}</span>
        <span class="quiet small">{props.detail}</span>
      </dd>
    </div>
  );
}
