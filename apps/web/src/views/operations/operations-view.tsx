import { usePage } from '../../page/page-state.ts';
import { Chart } from './chart.tsx';
import { countText, durationText, millisecondsText } from './format-figures.ts';
import { Roster } from './roster.tsx';
import { ChannelTable, HubTable } from './tables.tsx';
import { Tiles } from './tiles.tsx';
import { useSnapshots } from './use-snapshots.ts';

/** The system at work: charts of the last minutes, its parts, and who is there. */
export function OperationsView() {
  const { session } = usePage();
  const { newest, samples, problem } = useSnapshots(session.credentials);
  const atSeconds = samples.map((sample) => sample.atSeconds);
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
              lines={[
                { name: 'stored', colour: '--chart-1', values: samples.map((s) => s.messages) },
              ]}
            />
            <Chart
              title="Deliveries per second"
              atSeconds={atSeconds}
              format={countText}
              lines={[
                {
                  name: 'delivered',
                  colour: '--chart-2',
                  values: samples.map((s) => s.deliveries),
                },
              ]}
            />
            <Chart
              title="Latency"
              atSeconds={atSeconds}
              format={millisecondsText}
              lines={[
                { name: 'ack p50', colour: '--chart-1', values: samples.map((s) => s.ackP50) },
                { name: 'ack p99', colour: '--chart-3', values: samples.map((s) => s.ackP99) },
                {
                  name: 'delivery p50',
                  colour: '--chart-2',
                  values: samples.map((s) => s.deliveryP50),
                },
                {
                  name: 'delivery p99',
                  colour: '--chart-4',
                  values: samples.map((s) => s.deliveryP99),
                },
              ]}
            />
            <Chart
              title="Sockets"
              atSeconds={atSeconds}
              format={countText}
              lines={[{ name: 'open', colour: '--chart-3', values: samples.map((s) => s.sockets) }]}
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
