import type { ComponentChild } from 'preact';
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
      <Figures label="Hubs" columns={['Hub', 'Last beat']} none="Not known.">
        {hubs.map(({ hubId, lastBeatAgoMs, isThis }) => {
          const status = lastBeatAgoMs < aliveWithinMs ? 'online' : 'offline';
          return (
            <tr key={hubId}>
              <td>
                <span class={`dot dot-${status}`} aria-hidden="true" /> {hubId}
                {isThis && <span class="role">this one</span>}
              </td>
              <td>{durationText(lastBeatAgoMs)} ago</td>
            </tr>
          );
        })}
      </Figures>
    </section>
  );
}

/** A table. If it has no rows, it shows `none` instead. */
function Figures(props: {
  label: string;
  columns: readonly string[];
  none: string;
  children: readonly ComponentChild[];
}) {
  return (
    <>
      <div class="table-scroll" tabIndex={0} role="region" aria-label={props.label}>
        <table class="figures">
          <thead>
            <tr>
              {props.columns.map((name) => (
                <th scope="col">{name}</th>
              ))}
            </tr>
          </thead>
          <tbody>{props.children}</tbody>
        </table>
      </div>
      {props.children.length === 0 && <p class="quiet">{props.none}</p>}
    </>
  );
}

const columns = ['Channel', 'Messages/s', 'Deliveries/s', 'Sockets', 'p99'];
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
      <Figures label="Channels" columns={columns} none="No messages in any channel right now.">
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
      </Figures>
    </section>
  );
}
