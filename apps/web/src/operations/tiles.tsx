import { bytesText, countText, millisecondsText } from './figures.ts';
import type { Snapshot } from './snapshot.ts';

/** The state of each part in a word and a figure. */
export function Tiles({ snapshot }: { snapshot: Snapshot }) {
  const { redis, database } = snapshot;
  const breaker = snapshot.breaker ?? redis?.breaker ?? null;
  const isFallback = snapshot.degraded ?? (redis?.status !== undefined && !isGood(redis.status));
  const memory =
    redis?.maxMemoryBytes != null && redis.maxMemoryBytes > 0
      ? `${bytesText(redis.usedMemoryBytes)} of ${bytesText(redis.maxMemoryBytes)}`
      : bytesText(redis?.usedMemoryBytes);
  return (
    <dl class="tiles">
      <Tile
        name="Redis"
        value={redis?.status ?? '–'}
        tone={toneOf(redis?.status)}
        detail={millisecondsText(redis?.latencyMs)}
      />
      <Tile
        name="Redis memory"
        value={memory}
        detail={redis?.evictedKeys == null ? '' : `${countText(redis.evictedKeys)} evicted`}
      />
      <Tile
        name="Fallback"
        value={isFallback ? 'this hub alone' : 'not needed'}
        tone={isFallback ? 'warning' : 'good'}
        detail={breaker === null ? '' : `breaker ${breaker.replace('_', ' ')}`}
      />
      <Tile
        name="Database"
        value={database?.status ?? '–'}
        tone={toneOf(database?.status)}
        detail={millisecondsText(database?.latencyMs)}
      />
      <Tile
        name="Sockets"
        value={countText(snapshot.sockets)}
        detail={
          snapshot.laggingSockets === undefined
            ? ''
            : `${countText(snapshot.laggingSockets)} lag behind`
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

const isGood = (status: string) => ['ok', 'in use', 'up'].includes(status);

function toneOf(status: string | undefined): Tone {
  if (status === undefined) return 'plain';
  if (isGood(status)) return 'good';
  return status === 'none named' ? 'plain' : 'bad';
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
