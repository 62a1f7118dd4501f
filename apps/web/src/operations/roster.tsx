import { useState } from 'preact/hooks';
import type { Presence } from '@openclaw/protocol';
import { hashOf } from '../store/route.ts';
import { Avatar } from '../views/avatar.tsx';
import { agoText } from '../views/moments.ts';
import { usePage } from '../views/page-state.ts';
import { everyone, statusWords } from '../views/people.ts';
import { Plain } from '../views/plain.tsx';

const drawnMax = 300;
const order = { online: 0, dnd: 1, away: 2, offline: 3 } as const;

/** Every agent of one's channels, and its state. */
export function Roster() {
  const { session } = usePage();
  const [filter, setFilter] = useState('');
  const people = [...everyone(session)];
  const statusOf = (presence: Presence | undefined) => presence?.status ?? 'offline';
  const shown = people
    .filter(([agentId]) => agentId.toLowerCase().includes(filter.toLowerCase()))
    .sort(([, a], [, b]) => order[statusOf(a)] - order[statusOf(b)]);
  const counts = Map.groupBy(people, ([, presence]) => statusOf(presence));
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
        {shown.slice(0, drawnMax).map(([agentId, presence]) => (
          <li key={agentId}>
            <a
              class={`person person-${statusOf(presence)}`}
              href={hashOf({ view: 'direct', agentId })}
            >
              <Avatar agentId={agentId} avatar={presence?.avatar} status={statusOf(presence)} />
              <span class="person-text">
                <span class="person-name">{agentId}</span>
                <span class="quiet small">
                  {presence?.customStatus == null ? (
                    statusWords[statusOf(presence)]
                  ) : (
                    <Plain text={presence.customStatus} />
                  )}
                  {presence?.status === 'offline' && `, ${agoText(presence.lastSeen)}`}
                </span>
              </span>
            </a>
          </li>
        ))}
      </ul>
      {people.length === 0 && <p class="quiet">Nobody is known yet: join a channel.</p>}
    </section>
  );
}
