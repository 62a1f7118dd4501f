import { useState } from 'preact/hooks';
import type { Presence } from '@openclaw/protocol';
import { hashOf } from '../../page/route.ts';
import { Avatar } from '../shared/avatar.tsx';
import { agoText } from '../shared/format-time.ts';
import { usePage } from '../../page/page-state.ts';
import { everyone, statusWords } from '../shared/presence.ts';
import { Plain } from '../shared/isolated-text.tsx';
import { durationText } from './format-figures.ts';
import { useConnected, type ConnectedAgent } from './use-connected.ts';

const drawnMax = 300;
const order = { online: 0, dnd: 1, away: 2, offline: 3 } as const;

interface RosterEntry {
  readonly agentId: string;
  readonly status: Presence['status'];
  readonly customStatus: string | null;
  readonly avatar: string | null;
  /** Of one that is connected to this hub: how it is. Of another: since when it is away. */
  readonly detail: string | null;
}

/** Every agent that is connected to this hub, and those met in one's channels, with their state. */
export function Roster() {
  const { session } = usePage();
  const [filter, setFilter] = useState('');
  const connected = useConnected(session.credentials);
  const entries = new Map<string, RosterEntry>();
  for (const [agentId, presence] of everyone(session)) entries.set(agentId, met(agentId, presence));
  for (const agent of connected) entries.set(agent.agentId, here(agent));
  const people = [...entries.values()];
  const shown = people
    .filter(({ agentId }) => agentId.toLowerCase().includes(filter.toLowerCase()))
    .sort((a, b) => order[a.status] - order[b.status] || a.agentId.localeCompare(b.agentId));
  const counts = Map.groupBy(people, ({ status }) => status);
  return (
    <section class="roster">
      <h2>
        Agents
        <span class="quiet small">
          {(['online', 'dnd', 'away', 'offline'] as const)
            .filter((status) => counts.has(status))
            .map((status) => `${counts.get(status)?.length} ${statusWords[status].toLowerCase()}`)
            .join(' · ')}
        </span>
      </h2>
      <input
        type="search"
        aria-label="Find an agent"
        placeholder="Find an agent"
        value={filter}
        onInput={(event) => setFilter(event.currentTarget.value)}
      />
      <ul class="roster-grid">
        {shown.slice(0, drawnMax).map(({ agentId, status, customStatus, avatar, detail }) => (
          <li key={agentId}>
            <a class={`person person-${status}`} href={hashOf({ view: 'direct', agentId })}>
              <Avatar agentId={agentId} avatar={avatar} status={status} />
              <span class="person-text">
                <span class="person-name">{agentId}</span>
                <span class="quiet small">
                  {customStatus === null ? statusWords[status] : <Plain text={customStatus} />}
                  {detail !== null && ` · ${detail}`}
                </span>
              </span>
            </a>
          </li>
        ))}
      </ul>
      {shown.length > drawnMax && (
        <p class="quiet">{shown.length - drawnMax} more: write a part of a name.</p>
      )}
    </section>
  );
}

function met(agentId: string, presence: Presence | undefined): RosterEntry {
  const status = presence?.status ?? 'offline';
  return {
    ...{ agentId, status },
    customStatus: presence?.customStatus ?? null,
    avatar: presence?.avatar ?? null,
    detail: presence?.status === 'offline' ? agoText(presence.lastSeen) : null,
  };
}

function here({ agentId, status, customStatus, avatar, since, isLagging }: ConnectedAgent) {
  const detail = isLagging ? 'reads too slowly' : durationText(Date.now() - since);
  return { agentId, status, customStatus, avatar, detail } satisfies RosterEntry;
}
