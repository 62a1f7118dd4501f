import { useState } from 'preact/hooks';
import { hashOf } from '../../page/route.ts';
import { FreezeAllButton } from '../freezes/freeze-all-button.tsx';
import { AsOf } from '../operations/as-of.tsx';
import { useIsStale } from '../operations/operations-api.ts';
import { countText } from '../operations/format-figures.ts';
import { usePage } from '../page-state.ts';
import { Avatar, IsolatedText, NotDrawn } from '../shared/agents.tsx';
import { BareField, EmptyState, matches } from '../shared/controls.tsx';
import { fleetStates, tilesOf, type FleetState, type FleetTile } from './fleet-state.ts';
import { useFleet } from './use-fleet.ts';
import { useWaits, waitsText } from './waits.ts';

const tilesMax = 600;
/** The board is read every three seconds, so one lost answer does not make it stale. */
const staleAfterMs = 8_000;

export const fleetWords: Readonly<Record<FleetState, string>> = {
  looping: 'Looping',
  failing: 'Failing',
  silent: 'Silent',
  offline: 'Offline',
  waiting: 'Waiting',
  working: 'Working',
};

export function FleetView() {
  const { session } = usePage();
  const { agents, problem, receivedAtMs } = useFleet(session.credentials);
  const isStale = useIsStale(receivedAtMs, staleAfterMs);
  const [filter, setFilter] = useState('');
  const [only, setOnly] = useState<FleetState | null>(null);
  const tiles = tilesOf(agents ?? [], session.turns.value, receivedAtMs ?? Date.now());
  const waits = useWaits(session);
  const counts = Map.groupBy(tiles, ({ state }) => state);
  const shown = tiles.filter(
    ({ agent, state }) => matches(agent.agentId, filter) && (only === null || only === state),
  );
  return (
    <main class={`page fleet column scrolls${isStale ? ' stale' : ''}`}>
      <header class="page-head line">
        <h1>Fleet</h1>
        {agents !== null && (
          <p class="quiet">
            {agents.length === 1 ? 'One agent' : `${agents.length} agents`} of all hubs, the worst
            first
          </p>
        )}
        <FreezeAllButton />
      </header>
      <AsOf {...{ problem, isStale, receivedAtMs }} what="All tiles" />
      <div class="fleet-tools line">
        <BareField type="search" label="Find an agent" value={filter} onText={setFilter} />
        <span class="segments" role="group" aria-label="Show">
          {fleetStates.map((state) => (
            <button
              key={state}
              aria-pressed={only === state}
              onClick={() => setOnly(only === state ? null : state)}
            >
              <i class={`fleet-mark fleet-${state}`} aria-hidden="true" />
              {fleetWords[state]} {counts.get(state)?.length ?? 0}
            </button>
          ))}
        </span>
      </div>
      {agents !== null && shown.length === 0 && (
        <EmptyState
          icon="people"
          title={agents.length === 0 ? 'No agents yet' : 'No agent matches'}
        >
          {agents.length === 0
            ? 'No agent was here within a day. Connect one with the SDK, and it appears.'
            : 'Try a part of its name, or another state.'}
        </EmptyState>
      )}
      <ul class="fleet-tiles">
        {shown.slice(0, tilesMax).map((tile) => (
          <li key={tile.agent.agentId}>
            <Tile tile={tile} waits={waitsText(waits.get(tile.agent.agentId))} />
          </li>
        ))}
      </ul>
      <NotDrawn count={shown.length - tilesMax} />
    </main>
  );
}

function Tile(props: { tile: FleetTile; waits: string | null }) {
  const { agent, state, because } = props.tile;
  const { agentId, connection } = agent;
  const facts = factsOf(agent);
  return (
    <a class={`fleet-tile fleet-${state}`} href={hashOf({ view: 'agent', agentId })}>
      <span class="line">
        <Avatar agentId={agentId} avatar={connection?.avatar ?? null} isSmall />
        <b class="fill ellipsis" title={agentId}>
          <IsolatedText text={agentId} />
        </b>
      </span>
      <span class="small ellipsis" title={because}>
        <span class="fleet-word">{fleetWords[state]}</span> · <IsolatedText text={because} />
      </span>
      {props.waits !== null && (
        <span class="small ellipsis">
          <IsolatedText text={props.waits} />
        </span>
      )}
      <span class="quiet small ellipsis" title={facts}>
        <IsolatedText text={facts} />
      </span>
    </a>
  );
}

function factsOf({ activity, connection, limit, frozen }: FleetTile['agent']): string {
  const { messagesPerMinute = 0, refusals = 0 } = activity ?? {};
  return [
    messagesPerMinute > 0 ? `${countText(messagesPerMinute)} a minute` : null,
    refusals > 0 ? `${countText(refusals)} refused` : null,
    frozen ? 'frozen' : null,
    limit === null ? null : `limited to ${limit}`,
    connection?.customStatus ?? null,
  ]
    .filter((fact) => fact !== null)
    .join(' · ');
}
