import { useEffect, useState } from 'preact/hooks';
import { storageOfHub } from '../../page/page-base.ts';
import { createSharedValue } from '../../page/stored-value.ts';
import { usePage } from '../page-state.ts';
import { Problem } from '../shared/controls.tsx';
import { timeWithSecondsText } from '../shared/format-time.ts';
import { Chart, type ChartLine } from './chart.tsx';
import { countText, durationText, millisecondsText } from './format-figures.ts';
import { useIsStale, useSnapshots } from './operations-api.ts';
import { Roster } from './roster.tsx';
import type { Sample } from './samples.ts';
import { type SeenHub, withoutHub, withSnapshot } from './seen-hubs.ts';
import { ChannelTable, HubTable, Tiles } from './tables.tsx';

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
    <main class={`page operations column scrolls${isStale ? ' stale' : ''}`}>
      <header class="page-head line">
        <h1>Operations</h1>
        {newest !== null && (
          <p class="quiet">
            {newest.hubId} · {newest.version} · up {durationText(newest.uptimeMs)}
          </p>
        )}
      </header>
      <Problem text={problem} extraClass="banner" />
      {isStale && receivedAtMs !== null && (
        <p class="as-of banner" role="status">
          No answer from the hub. All figures are as of {timeWithSecondsText(receivedAtMs)}.
        </p>
      )}
      {newest !== null && (
        <>
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
          <div class="tables">
            <HubTable
              hubs={hubs.value.value.filter(({ isDismissed }) => !isDismissed)}
              nowMs={newest.timestamp}
              onDismiss={(hubId) => (hubs.value.value = withoutHub(hubs.value.peek(), hubId))}
            />
            <ChannelTable channels={newest.channels} />
          </div>
        </>
      )}
      <Roster />
    </main>
  );
}
