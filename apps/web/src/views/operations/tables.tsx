import { useState } from 'preact/hooks';
import type { Operations } from '@openclaw/protocol';
import { IsolatedText } from '../shared/agents.tsx';
import { bytesText, countText, durationText, millisecondsText } from './format-figures.ts';

/** The state of each part of the system. */
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

type ChannelRow = Operations['channels'][number];

const aliveWithinMs = 5_000;

/** The hubs of the system; a hub without a recent beat is marked as offline. */
export function HubTable({ hubs }: { hubs: Operations['hubs'] }) {
  return (
    <section>
      <h2>Hubs</h2>
      <div class="table-scroll" tabIndex={0} role="region" aria-label="Hubs">
        <table class="figures">
          <thead>
            <tr>
              <th scope="col">Hub</th>
              <th scope="col">Last beat</th>
            </tr>
          </thead>
          <tbody>
            {hubs.map(({ hubId, lastBeatAgoMs, isThis }) => {
              const isAlive = lastBeatAgoMs < aliveWithinMs;
              return (
                <tr key={hubId}>
                  <td>
                    <span class={`dot dot-${isAlive ? 'online' : 'offline'}`} aria-hidden="true" />{' '}
                    {hubId}
                    {isThis && <span class="role">this one</span>}
                  </td>
                  <td>{durationText(lastBeatAgoMs)} ago</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {hubs.length === 0 && <p class="quiet">Not known.</p>}
    </section>
  );
}

const orders = {
  busiest: (a: ChannelRow, b: ChannelRow) => b.deliveriesPerSecond - a.deliveriesPerSecond,
  slowest: (a: ChannelRow, b: ChannelRow) => b.deliveryP99Ms - a.deliveryP99Ms,
} as const;

/** The live channels, ordered by deliveries or by latency. */
export function ChannelTable({ channels }: { channels: Operations['channels'] }) {
  const [order, setOrder] = useState<keyof typeof orders>('busiest');
  return (
    <section>
      <h2>
        Channels
        <span class="segments" role="group" aria-label="Order">
          {(['busiest', 'slowest'] as const).map((name) => (
            <button key={name} aria-pressed={order === name} onClick={() => setOrder(name)}>
              {name}
            </button>
          ))}
        </span>
      </h2>
      <div class="table-scroll" tabIndex={0} role="region" aria-label="Channels">
        <table class="figures">
          <thead>
            <tr>
              <th scope="col">Channel</th>
              <th scope="col">Messages/s</th>
              <th scope="col">Deliveries/s</th>
              <th scope="col">Sockets</th>
              <th scope="col">p99</th>
            </tr>
          </thead>
          <tbody>
            {[...channels].sort(orders[order]).map((channel) => (
              <tr key={channel.channelId}>
                <td>
                  <IsolatedText text={channel.name ?? channel.channelId} />
                </td>
                <td>{countText(channel.messagesPerSecond)}</td>
                <td>{countText(channel.deliveriesPerSecond)}</td>
                <td>{countText(channel.sockets)}</td>
                <td>{millisecondsText(channel.deliveryP99Ms)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {channels.length === 0 && <p class="quiet">No messages in any channel right now.</p>}
    </section>
  );
}
