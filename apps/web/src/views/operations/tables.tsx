import { useState } from 'preact/hooks';
import type { Operations } from '@openclaw/protocol';
import { Plain } from '../shared/isolated-text.tsx';
import { countText, durationText, millisecondsText } from './format-figures.ts';

type ChannelRow = Operations['channels'][number];

const aliveWithinMs = 5_000;

/** Every hub of the system, and whether it beats. */
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

/** The channels where most happens, or where it takes longest. */
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
                  <Plain text={channel.name ?? channel.channelId} />
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
      {channels.length === 0 && <p class="quiet">Nothing is said anywhere just now.</p>}
    </section>
  );
}
