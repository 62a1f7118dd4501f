import { hashOf } from '../../page/route.ts';
import { usePage } from '../page-state.ts';
import { useFleet } from '../fleet/use-fleet.ts';
import { IsolatedText } from '../shared/agents.tsx';
import { agoText } from '../shared/format-time.ts';
import { countText } from './format-figures.ts';
import { Figures } from './tables.tsx';

const shownMax = 10;

export function RefusedAgents() {
  const { session } = usePage();
  const { agents } = useFleet(session.credentials);
  const refused = (agents ?? [])
    .flatMap(({ agentId, activity }) =>
      activity !== null && activity.refusals > 0 ? [{ agentId, ...activity }] : [],
    )
    .sort((a, b) => b.refusals - a.refusals)
    .slice(0, shownMax);
  return (
    <section>
      <h2 class="line">Refusals by agent, 10 minutes</h2>
      <Figures
        label="Refusals by agent"
        columns={['Agent', 'Refused', 'The last']}
        rows={refused.map(({ agentId, refusals, lastRefusal }) => [
          <a href={hashOf({ view: 'agent', agentId })}>
            <IsolatedText text={agentId} />
          </a>,
          countText(refusals),
          lastRefusal === null
            ? '–'
            : `${lastRefusal.code.replaceAll('_', ' ')}, ${agoText(lastRefusal.at)}`,
        ])}
        none="No call of an agent was refused."
      />
    </section>
  );
}
