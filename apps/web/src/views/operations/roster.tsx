import { useState } from 'preact/hooks';
import { usePage } from '../page-state.ts';
import {
  AgentLink,
  compareAgents,
  drawnAgentsMax,
  knownAgents,
  statuses,
  statusWords,
} from '../shared/agents.tsx';
import { FilterField } from '../shared/controls.tsx';
import { agoText } from '../shared/format-time.ts';
import { durationText } from './format-figures.ts';
import { useConnected } from './operations-api.ts';

/** The agents that are connected to this hub, and those in the reader's channels. */
export function Roster() {
  const { session } = usePage();
  const [filter, setFilter] = useState('');
  const connected = useConnected(session.credentials).map((agent) => {
    const { agentId, status, customStatus, avatar, since, isLagging } = agent;
    const detail = isLagging ? 'reads too slowly' : durationText(Date.now() - since);
    return { agentId, status, customStatus, avatar, detail };
  });
  const met = [...knownAgents(session)].map(([agentId, presence]) => ({
    agentId,
    status: presence?.status ?? ('offline' as const),
    customStatus: presence?.customStatus ?? null,
    avatar: presence?.avatar ?? null,
    detail: presence?.status === 'offline' ? agoText(presence.lastSeen) : null,
  }));
  // What this hub knows of its own agents replaces what the channels know.
  const agents = new Map([...met, ...connected].map((agent) => [agent.agentId, agent]));
  const shown = [...agents.values()]
    .filter(({ agentId }) => agentId.toLowerCase().includes(filter.toLowerCase()))
    .sort(compareAgents);
  const counts = Map.groupBy(agents.values(), ({ status }) => status);
  return (
    <section class="roster">
      <h2>
        Agents
        <span class="quiet small">
          {statuses
            .filter((status) => counts.has(status))
            .map((status) => `${counts.get(status)?.length} ${statusWords[status].toLowerCase()}`)
            .join(' · ')}
        </span>
      </h2>
      <FilterField label="Find an agent" value={filter} onText={setFilter} />
      <ul class="roster-grid">
        {shown.slice(0, drawnAgentsMax).map(({ agentId, ...agent }) => (
          <li key={agentId}>
            <AgentLink agentId={agentId} {...agent}>
              {agentId}
            </AgentLink>
          </li>
        ))}
      </ul>
      {shown.length > drawnAgentsMax && (
        <p class="quiet">{shown.length - drawnAgentsMax} more: type part of a name.</p>
      )}
    </section>
  );
}
