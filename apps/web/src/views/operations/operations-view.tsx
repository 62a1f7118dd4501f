import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { storageOfHub } from '../../page/page-base.ts';
import { createSharedValue } from '../../page/stored-value.ts';
import { usePage } from '../page-state.ts';
import { AsOf } from './as-of.tsx';
import { Chart, type ChartLine } from './chart.tsx';
import { breachesOf, checksOf, figuresNow, type Breaches } from './checks.ts';
import { countText, durationText, millisecondsText } from './format-figures.ts';
import { HistoryPlots } from './history-plots.tsx';
import { minutesOf } from './history.ts';
import { HubColumns } from './hub-columns.tsx';
import { useIsStale, useSnapshots } from './operations-api.ts';
import { RefusedAgents } from './refused-agents.tsx';
import { Roster } from './roster.tsx';
import type { Sample } from './samples.ts';
import { type SeenHub, withoutHub, withSnapshot } from './seen-hubs.ts';
import { ChannelTable, OwnFigures, Tiles } from './tables.tsx';
import { useHistory } from './use-history.ts';
import { Alerts, Verdict } from './verdict.tsx';

export function OperationsView() {
  const { session } = usePage();
  const { newest, samples, problem, receivedAtMs } = useSnapshots(session.credentials);
  const isStale = useIsStale(receivedAtMs);
  const [hubs] = useState(() =>
    createSharedValue<readonly SeenHub[]>(storageOfHub(localStorage), 'openclaw.hubs', []),
  );
  useEffect(() => () => hubs.close(), []);
  useEffect(() => {
    if (newest !== null) hubs.value.value = withSnapshot(hubs.value.peek(), newest);
  }, [newest]);
  const rows = useHistory(session.credentials);
  const minutes = useMemo(() => rows && minutesOf(rows), [rows]);
  const breaches = useRef<Breaches>(new Map());
  const now = newest === null ? [] : figuresNow(newest);
  const ended = new Set(rows?.filter(({ figures }) => figures.ended).map(({ hubId }) => hubId));
  const shownHubs = hubs.value.value.filter(
    ({ hubId, isDismissed }) => !isDismissed && !ended.has(hubId),
  );
  const checks =
    newest === null
      ? []
      : checksOf({
          ...{ now, minutes: minutes ?? [] },
          hubs: newest.database.status === 'ok' ? shownHubs : null,
          ...{ nowMs: newest.timestamp, breaches: breaches.current },
        });
  if (newest !== null) breaches.current = breachesOf(checks);
  const [isWall, setWall] = useState(false);
  const atSeconds = samples.map((sample) => sample.atSeconds);
  const line = (name: string, colour: string, field: keyof Sample): ChartLine => ({
    name,
    colour,
    values: samples.map((sample) => sample[field]),
  });
  const chart = (title: string, format: (value: number) => string, ...lines: ChartLine[]) => (
    <Chart title={title} atSeconds={atSeconds} format={format} lines={lines} />
  );
  return (
    <main
      class={`page operations column scrolls${isStale ? ' stale' : ''}${isWall ? ' wall' : ''}`}
      onKeyDown={(event) => {
        if (event.key === 'Escape') setWall(false);
      }}
    >
      <header class="page-head line">
        <h1>Operations</h1>
        {newest !== null && (
          <p class="quiet">
            {newest.hubId} · {newest.version} · up {durationText(newest.uptimeMs)}
          </p>
        )}
        <button class="wall-button" aria-pressed={isWall} onClick={() => setWall(!isWall)}>
          Wall view
        </button>
      </header>
      <AsOf {...{ problem, isStale, receivedAtMs }} what="All figures" />
      {newest !== null && (
        <>
          <Verdict checks={checks} />
          <Tiles snapshot={newest} />
          <div class="charts">
            {chart('Messages per second', countText, line('stored', '--chart-1', 'messages'))}
            {chart(
              'Deliveries per second',
              countText,
              line('delivered', '--chart-2', 'deliveries'),
            )}
            {chart(
              'Latency',
              millisecondsText,
              line('ack p50', '--chart-1', 'ackP50'),
              line('ack p99', '--chart-3', 'ackP99'),
              line('delivery p50', '--chart-2', 'deliveryP50'),
              line('delivery p99', '--chart-4', 'deliveryP99'),
            )}
            {chart('Sockets', countText, line('open', '--chart-3', 'sockets'))}
          </div>
          <HistoryPlots minutes={minutes} nowMs={newest.timestamp} />
          <div class="tables">
            <Alerts checks={checks} />
            <HubColumns
              hubs={shownHubs}
              now={now}
              isKnown={newest.database.status === 'ok'}
              nowMs={newest.timestamp}
              onDismiss={(hubId) => (hubs.value.value = withoutHub(hubs.value.peek(), hubId))}
            />
            <div class="stack">
              <ChannelTable channels={newest.channels} />
              <RefusedAgents />
            </div>
            <OwnFigures snapshot={newest} />
          </div>
        </>
      )}
      <Roster />
    </main>
  );
}
