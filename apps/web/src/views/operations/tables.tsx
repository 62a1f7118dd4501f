import type { ComponentChild } from 'preact';
import { useState } from 'preact/hooks';
import type { Operations } from '@openclaw/protocol';
import { IsolatedText } from '../shared/agents.tsx';
import { bytesText, countText, durationText, millisecondsText } from './format-figures.ts';

export function Tiles({ snapshot }: { snapshot: Operations }) {
  const { redis, database, breaker } = snapshot;
  const isAlone = redis.status === 'none';
  const memoryMax = redis.maxMemoryBytes ? `of ${bytesText(redis.maxMemoryBytes)}` : 'no limit set';
  const evicted = redis.evictedKeys ? ` · ${countText(redis.evictedKeys)} evicted` : '';
  return (
    <dl class="tiles">
      <Tile
        name="Redis"
        value={isAlone ? 'not used' : redis.status.replace('_', ' ')}
        tone={isAlone ? 'plain' : redis.status === 'in_use' ? 'good' : 'bad'}
        detail={isAlone ? 'one hub needs none' : millisecondsText(redis.latencyMs)}
      />
      {!isAlone && (
        <Tile
          name="Redis memory"
          value={bytesText(redis.usedMemoryBytes)}
          detail={redis.usedMemoryBytes === null ? '' : `${memoryMax}${evicted}`}
        />
      )}
      <Tile
        name="Presence and limits"
        value={isAlone || snapshot.degraded ? 'this hub only' : 'of all hubs'}
        tone={isAlone ? 'plain' : snapshot.degraded ? 'warning' : 'good'}
        detail={isAlone || breaker === 'closed' ? '' : 'Redis is tried again soon'}
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
      <dt class="quiet small">{props.name}</dt>
      <dd>
        <span class="tile-value">{props.value}</span>
        <span class="quiet small">{props.detail}</span>
      </dd>
    </div>
  );
}

export function Figures(props: {
  label: string;
  columns: readonly string[];
  rows: readonly (readonly ComponentChild[])[];
  none: string;
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
          <tbody>
            {props.rows.map((cells) => (
              <tr>
                {cells.map((cell) => (
                  <td>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {props.rows.length === 0 && <p class="quiet">{props.none}</p>}
    </>
  );
}

const columns = ['Channel', 'Messages/s', 'Deliveries/s', 'Sockets', 'p99'];
const orders = { busiest: 'deliveriesPerSecond', slowest: 'deliveryP99Ms' } as const;

export function ChannelTable({ channels }: { channels: Operations['channels'] }) {
  const [order, setOrder] = useState<keyof typeof orders>('busiest');
  const rows = [...channels]
    .sort((a, b) => b[orders[order]] - a[orders[order]])
    .map((channel) => [
      <IsolatedText text={channel.name ?? channel.channelId} />,
      countText(channel.messagesPerSecond),
      countText(channel.deliveriesPerSecond),
      countText(channel.sockets),
      millisecondsText(channel.deliveryP99Ms),
    ]);
  return (
    <section class="channels">
      <h2 class="line">
        Channels
        <span class="segments" role="group" aria-label="Order">
          {(['busiest', 'slowest'] as const).map((name) => (
            <button key={name} aria-pressed={order === name} onClick={() => setOrder(name)}>
              {name}
            </button>
          ))}
        </span>
      </h2>
      <Figures
        label="Channels"
        columns={columns}
        rows={rows}
        none="No messages in any channel right now."
      />
    </section>
  );
}

/** Only the hub that serves the page knows these figures. */
export function OwnFigures({ snapshot }: { snapshot: Operations }) {
  const { counters, redis, publishPath, breaker, database, latency, uptimeMs } = snapshot;
  const rows: [string, ComponentChild][] = [
    ['Up', durationText(uptimeMs)],
    ['Messages', countText(counters.messages)],
    ['Events', countText(counters.events)],
    ['Deliveries', countText(counters.deliveries)],
    ['Calls', countText(counters.calls)],
    ['Failed calls', countText(counters.failedCalls)],
    ['Calls over a limit', countText(counters.refusedCalls)],
    ['Failed publishes', countText(counters.publishFailures)],
    ['Repairs from the log', countText(counters.tailRepairs)],
    ['Times a socket lagged', countText(counters.laggingSockets)],
    ['Bad frames', countText(counters.badFrames)],
    ['Refused connections', countText(counters.refusedConnections)],
    ['Closed connections', countText(counters.closedConnections)],
    ['Ack p50, p90, p99', percentilesText(latency.ackMs)],
    ['Delivery p50, p90, p99', percentilesText(latency.deliveryMs)],
    ['Waiting writes', countText(database.queueLength)],
    ['Redis', `${redis.version ?? '–'} ${redis.mode}`],
    ['Redis reconnects', countText(redis.reconnects)],
    ['Evicted keys', countText(redis.evictedKeys)],
    ['Circuit breaker', breaker.replace('_', ' ')],
    ['Publish path', `${publishPath.status}, ${millisecondsText(publishPath.latencyMs)}`],
  ];
  return (
    <section class="own-figures">
      <h2 class="line">This hub since its start</h2>
      <Figures label="This hub" columns={['Figure', 'Value']} rows={rows} none="Not known." />
    </section>
  );
}

function percentilesText(of: Operations['latency']['ackMs']): string {
  return of === null ? '–' : [of.p50, of.p90, of.p99].map(millisecondsText).join(' · ');
}
