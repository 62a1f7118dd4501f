import { useState } from 'preact/hooks';
import { usePage } from '../page-state.ts';
import {
  AgentLink,
  compareAgents,
  drawnAgentsMax,
  knownAgents,
  NotDrawn,
  statuses,
  statusWords,
} from '../shared/agents.tsx';
import { BareField, matches } from '../shared/controls.tsx';
import { agoText } from '../shared/format-time.ts';
import { durationText } from './format-figures.ts';
import { useConnected } from './operations-api.ts';

export function Roster() {
  const { session } = usePage();
  const [filter, setFilter] = useState('');
  const connected = useConnected(session.credentials).map((agent) => {
    const { agentId, status, customStatus, avatar, since, isLagging } = agent;
    const detail = isLagging ? 'reads too slowly' : durationText(Date.now() - since);
    return { agentId, status, customStatus, avatar, detail };
  });
  const met = [...knownAgents(session)].map(([agentId, { lastSeen, ...presence }]) => {
    const isGone = presence.status === 'offline' && lastSeen !== null;
    return { ...presence, agentId, detail: isGone ? agoText(lastSeen) : null };
  });
  // This hub's data about its own agents replaces the data from the channels.
  const agents = new Map([...met, ...connected].map((agent) => [agent.agentId, agent]));
  const shown = [...agents.values()]
    .filter(({ agentId }) => matches(agentId, filter))
    .sort(compareAgents);
  const counts = Map.groupBy(agents.values(), ({ status }) => status);
  return (
    <section class="roster">
      <h2 class="line">
        Agents
        <span class="quiet small">
          {statuses
            .filter((status) => counts.has(status))
            .map((status) => `${counts.get(status)?.length} ${statusWords[status].toLowerCase()}`)
            .join(' · ')}
        </span>
      </h2>
      <BareField type="search" label="Find an agent" value={filter} onText={setFilter} />
      <ul class="roster-grid">
        {shown.slice(0, drawnAgentsMax).map((agent) => (
          <li key={agent.agentId}>
            <AgentLink {...agent} view="agent">
              {agent.agentId}
            </AgentLink>
          </li>
        ))}
      </ul>
      <NotDrawn count={shown.length - drawnAgentsMax} />
    </section>
  );
}
