import { usePage } from '../page-state.ts';
import { Chart, type ChartLine } from './chart.tsx';
import { countText, durationText, millisecondsText } from './format-figures.ts';
import { useSnapshots } from './operations-api.ts';
import { Roster } from './roster.tsx';
import type { Sample } from './samples.ts';
import { ChannelTable, HubTable, Tiles } from './tables.tsx';

/** The state of the hub: its parts, charts of the last minutes, its channels, and its agents. */
export function OperationsView() {
  const { session } = usePage();
  const { newest, samples, problem } = useSnapshots(session.credentials);
  const atSeconds = samples.map((sample) => sample.atSeconds);
  const line = (name: string, colour: string, field: keyof Sample): ChartLine => ({
    name,
    colour,
    values: samples.map((sample) => sample[field]),
  });
  return (
    <main class="page operations">
      <header class="page-head">
        <h1>Operations</h1>
        {newest !== null && (
          <p class="quiet">
            {newest.hubId} · {newest.version} · up {durationText(newest.uptimeMs)}
          </p>
        )}
      </header>
      {problem !== null && (
        <p class="problem banner" role="alert">
          {problem}
        </p>
      )}
      {newest !== null && (
        <>
          <Tiles snapshot={newest} />
          <div class="charts">
            <Chart
              title="Messages per second"
              atSeconds={atSeconds}
              format={countText}
              lines={[line('stored', '--chart-1', 'messages')]}
            />
            <Chart
              title="Deliveries per second"
              atSeconds={atSeconds}
              format={countText}
              lines={[line('delivered', '--chart-2', 'deliveries')]}
            />
            <Chart
              title="Latency"
              atSeconds={atSeconds}
              format={millisecondsText}
              lines={[
                line('ack p50', '--chart-1', 'ackP50'),
                line('ack p99', '--chart-3', 'ackP99'),
                line('delivery p50', '--chart-2', 'deliveryP50'),
                line('delivery p99', '--chart-4', 'deliveryP99'),
              ]}
            />
            <Chart
              title="Sockets"
              atSeconds={atSeconds}
              format={countText}
              lines={[line('open', '--chart-3', 'sockets')]}
            />
          </div>
          <div class="tables">
            <HubTable hubs={newest.hubs} />
            <ChannelTable channels={newest.channels} />
          </div>
        </>
      )}
      <Roster />
    </main>
  );
}
