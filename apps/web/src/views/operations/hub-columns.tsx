import type { ComponentChild } from 'preact';
import type { OperationsFigures } from '@openclaw/protocol';
import { Dot } from '../shared/agents.tsx';
import { sinceText } from '../shared/format-time.ts';
import type { HubFigures } from './checks.ts';
import { countText, durationText, millisecondsText } from './format-figures.ts';
import { aliveWithinMs, type SeenHub } from './seen-hubs.ts';

type Counted = {
  [K in keyof OperationsFigures]: OperationsFigures[K] extends number ? K : never;
}[keyof OperationsFigures];

const perSecond = (name: Counted) => (figures: OperationsFigures) =>
  figures.ms > 0 ? countText((figures[name] * 1000) / figures.ms) : '–';
const size = (name: Counted) => (figures: OperationsFigures) => countText(figures[name]);

const rows: readonly (readonly [string, (figures: OperationsFigures) => string])[] = [
  ['Messages/s', perSecond('messages')],
  ['Deliveries/s', perSecond('deliveries')],
  ['Calls/s', perSecond('calls')],
  ['Failed calls/s', perSecond('failedCalls')],
  ['Calls over a limit/s', perSecond('refusedCalls')],
  ['Ack p99', ({ ackP99Ms }) => millisecondsText(ackP99Ms)],
  ['Delivery p99', ({ deliveryP99Ms }) => millisecondsText(deliveryP99Ms)],
  ['Sockets', size('sockets')],
  ['Sockets that lag', size('laggingNow')],
  ['Agents', size('agents')],
  ['Live channels', size('rooms')],
  ['Waiting writes', size('queueLength')],
  ['Failed publishes/s', perSecond('publishFailures')],
  ['Repairs/s', perSecond('tailRepairs')],
  ['Bad frames/s', perSecond('badFrames')],
  ['Refused connections/s', perSecond('refusedConnections')],
  ['Closed connections/s', perSecond('closedConnections')],
  ['Redis reconnects/s', perSecond('redisReconnects')],
  ['Database', ({ database }) => database],
  ['Redis', ({ redis }) => redis.replace('_', ' ')],
  ['Publish path', ({ publishPath }) => publishPath],
];

/** A dead hub is shown with the time of its last heartbeat until the reader dismisses it. */
export function HubColumns(props: {
  hubs: readonly SeenHub[];
  now: readonly HubFigures[];
  nowMs: number;
  /** False while the database, which has the heartbeats, is away. */
  isKnown: boolean;
  onDismiss: (hubId: string) => void;
}) {
  const { now, nowMs, isKnown, onDismiss } = props;
  const hubs = [...props.hubs].sort((a, b) => a.hubId.localeCompare(b.hubId));
  const figuresOf = new Map(now.map(({ hubId, figures }) => [hubId, figures]));
  return (
    <section class={`hubs${hubs.length > 2 ? ' many' : ''}`}>
      <h2 class="line">Hubs</h2>
      <div class="table-scroll" tabIndex={0} role="region" aria-label="Hubs">
        <table class="figures">
          <thead>
            <tr>
              <th scope="col">Hub</th>
              {hubs.map((hub) => (
                <th scope="col" key={hub.hubId} class="hub">
                  <HubHead {...{ hub, nowMs, isKnown, onDismiss }} />
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(([name, text]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                {hubs.map<ComponentChild>(({ hubId }) => {
                  const figures = figuresOf.get(hubId);
                  return <td key={hubId}>{figures === undefined ? '–' : text(figures)}</td>;
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function HubHead(props: {
  hub: SeenHub;
  nowMs: number;
  isKnown: boolean;
  onDismiss: (hubId: string) => void;
}) {
  const { hubId, lastBeatMs, isThis } = props.hub;
  const agoMs = Math.max(0, props.nowMs - lastBeatMs);
  const isAlive = agoMs < aliveWithinMs;
  const isDead = props.isKnown && !isAlive;
  return (
    <>
      <Dot status={isAlive ? 'online' : isDead ? 'dnd' : 'offline'} /> {hubId}
      {isThis && <span class="role">this one</span>}
      <br />
      {!isDead ? (
        <span class="small quiet">
          {isAlive || isThis ? `${durationText(isThis ? 0 : agoMs)} ago` : 'not known'}
        </span>
      ) : (
        <span class="small problem">
          dead since {sinceText(lastBeatMs)}{' '}
          <button
            class="link"
            aria-label={`Dismiss ${hubId}`}
            onClick={() => props.onDismiss(hubId)}
          >
            Dismiss
          </button>
        </span>
      )}
    </>
  );
}
