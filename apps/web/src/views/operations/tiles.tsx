import type { Operations } from '@openclaw/protocol';
import { bytesText, countText, millisecondsText } from './format-figures.ts';

/** The state of each part in a word and a figure. */
export function Tiles({ snapshot }: { snapshot: Operations }) {
  const { redis, database, breaker } = snapshot;
  const isAlone = redis.status === 'none';
  const memoryMax = redis.maxMemoryBytes ? `of ${bytesText(redis.maxMemoryBytes)}` : 'no limit set';
  const evicted = redis.evictedKeys ? ` · ${countText(redis.evictedKeys)} evicted` : '';
  return (
    <dl class="tiles">
      <Tile
        name="Redis"
        value={redis.status.replace('_', ' ')}
        tone={isAlone ? 'plain' : redis.status === 'in_use' ? 'good' : 'bad'}
        detail={millisecondsText(redis.latencyMs)}
      />
      <Tile
        name="Redis memory"
        value={bytesText(redis.usedMemoryBytes)}
        detail={redis.usedMemoryBytes === null ? '' : `${memoryMax}${evicted}`}
      />
      <Tile
        name="Fallback"
        value={snapshot.degraded ? 'this hub alone' : 'not needed'}
        tone={isAlone ? 'plain' : snapshot.degraded ? 'warning' : 'good'}
        detail={`breaker ${breaker.replace('_', ' ')}`}
      />
      <Tile
        name="Database"
        value={database.status}
        tone={database.status === 'ok' ? 'good' : 'bad'}
        detail={`${database.engine}, ${millisecondsText(database.latencyMs)}`}
      />
      <Tile
        name="Sockets"
        value={countText(snapshot.sockets)}
        detail={`${countText(snapshot.laggingNow)} lag behind`}
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
