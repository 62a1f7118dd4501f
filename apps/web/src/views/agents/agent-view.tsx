import type { ComponentChildren } from 'preact';
import { plainText } from '../../markdown/plain-text.ts';
import { channelRoute, hashOf } from '../../page/route.ts';
import type { FleetAgent } from '../../session/operations-request.ts';
import { tileOf } from '../fleet/fleet-state.ts';
import { fleetWords } from '../fleet/fleet-view.tsx';
import { useFleet } from '../fleet/use-fleet.ts';
import { useWaits, waitsText } from '../fleet/waits.ts';
import { countText, durationText } from '../operations/format-figures.ts';
import { AsOf } from '../operations/as-of.tsx';
import { useIsStale } from '../operations/operations-api.ts';
import { usePage } from '../page-state.ts';
import { Avatar, IsolatedText } from '../shared/agents.tsx';
import { Icon } from '../shared/controls.tsx';
import { agoText } from '../shared/format-time.ts';
import { AgentFreeze } from '../freezes/freeze-banner.tsx';
import { AgentActions } from './agent-actions.tsx';
import { AgentInbox } from './agent-inbox.tsx';
import { useAgent, useCost, useLastWords } from './agent-api.ts';

const staleAfterMs = 6_000;
const wordsCharsMax = 600;

export function AgentView({ agentId }: { agentId: string }) {
  const { session } = usePage();
  const { found, problem, receivedAtMs, refresh } = useAgent(session, agentId);
  const { agents } = useFleet(session.credentials);
  const isStale = useIsStale(receivedAtMs, staleAfterMs);
  const words = useLastWords(session, found?.lastMessages ?? null);
  const others = new Map((agents ?? []).map((agent) => [agent.agentId, agent]));
  const nowMs = receivedAtMs ?? Date.now();
  const waits = waitsText(useWaits(session).get(agentId));
  const tile = found && tileOf(found.agent, others, session.turns.value.get(agentId), nowMs);
  return (
    <main class={`page agent-page column scrolls${isStale ? ' stale' : ''}`}>
      <header class="page-head line">
        <Avatar agentId={agentId} avatar={found?.agent.connection?.avatar ?? null} />
        <h1 title={agentId}>
          <IsolatedText text={agentId} />
        </h1>
        {tile !== null && (
          <span class={`fleet-word fleet-${tile.state}`}>{fleetWords[tile.state]}</span>
        )}
        <a class="agent-back" href="#/fleet">
          <Icon name="people" /> Fleet
        </a>
      </header>
      <AsOf {...{ problem, isStale, receivedAtMs }} what="All figures" />
      {found !== null && tile !== null && (
        <>
          <p>
            <IsolatedText text={tile.because} />
            {waits !== null && (
              <>
                {' · '}
                <IsolatedText text={waits} />
              </>
            )}
            {tile.partner !== null && (
              <>
                {' · '}
                <a href={hashOf({ view: 'agent', agentId: tile.partner })}>
                  Open <IsolatedText text={tile.partner} />
                </a>
              </>
            )}
          </p>
          <AgentFreeze agentId={agentId} />
          <AgentActions agent={found.agent} onDone={refresh} />
          <AgentTiles agent={found.agent} nowMs={nowMs} />
          <AgentInbox agentId={agentId} />
          <section class="card-section">
            <h2>Latest messages</h2>
            {words.length === 0 && <p class="quiet">It has written in no channel that it is in.</p>}
            {words.map(({ channelId, seq, timestamp, content, problem: refused }) => (
              <article class="last-words" key={`${channelId} ${seq}`}>
                <p class="small">
                  <a href={hashOf(channelRoute(channelId, null, seq))}>
                    <IsolatedText text={channelNameOf(session, channelId)} />
                  </a>{' '}
                  <span class="quiet">{agoText(timestamp)}</span>
                </p>
                <p class={content === null ? 'quiet' : ''}>
                  <IsolatedText
                    text={shortened(content === null ? (refused ?? '') : plainText(content))}
                  />
                </p>
              </article>
            ))}
          </section>
        </>
      )}
    </main>
  );
}

type PageSession = ReturnType<typeof usePage>['session'];

function channelNameOf(session: PageSession, channelId: string): string {
  return `#${session.chats.byId.value.get(channelId)?.channel.value.name ?? channelId}`;
}

function shortened(text: string): string {
  return text.length > wordsCharsMax ? `${text.slice(0, wordsCharsMax)}…` : text;
}

function AgentTiles({ agent, nowMs }: { agent: FleetAgent; nowMs: number }) {
  const { session } = usePage();
  const cost = useCost(session, agent.agentId);
  const { activity, connection, connections, hubs, kind, lastSeen, limit, frozen } = agent;
  const { lastRefusal = null } = activity ?? {};
  return (
    <dl class="tiles">
      <Figure name="Kind" value={kind ?? 'not seen'}>
        {frozen ? 'frozen' : limit === null ? 'usual limits' : `limited to ${limit}`}
      </Figure>
      <Figure name="Messages a minute" value={countText(activity?.messagesPerMinute ?? 0)}>
        {activity?.lastMessageAt == null
          ? 'none lately'
          : `last ${agoText(activity.lastMessageAt)}`}
      </Figure>
      <Figure
        name="Refused, 10 minutes"
        value={countText(activity?.refusals ?? 0)}
        tone={(activity?.refusals ?? 0) > 0 ? 'warning' : 'plain'}
      >
        {lastRefusal !== null &&
          `${lastRefusal.code.replaceAll('_', ' ')}, ${agoText(lastRefusal.at)}`}
      </Figure>
      <Figure
        name="Errors, 10 minutes"
        value={countText(activity?.errors ?? 0)}
        tone={(activity?.errors ?? 0) > 0 ? 'bad' : 'plain'}
      >
        faults of the hub
      </Figure>
      <Figure name="Connections" value={countText(connections)}>
        {connection === null
          ? lastSeen === null
            ? 'never seen'
            : `seen ${agoText(lastSeen)}`
          : `${hubs.join(', ')} · ${durationText(nowMs - connection.since)}`}
      </Figure>
      <Figure name="Channels" value={countText(connection?.channels ?? 0)}>
        {connection?.isLagging ? 'reads too slowly' : 'followed now'}
      </Figure>
      {cost !== null && (
        <>
          <Figure name="Tokens, 24 hours" value={countText(cost.tokensIn + cost.tokensOut)}>
            {`${countText(cost.tokensIn)} in, ${countText(cost.tokensOut)} out`}
          </Figure>
          <Figure name="Cost, 24 hours" value={(cost.costMicros / 1e6).toFixed(2)}>
            {cost.turns === 1 ? '1 turn' : `${countText(cost.turns)} turns`}
          </Figure>
        </>
      )}
    </dl>
  );
}

function Figure(props: {
  name: string;
  value: string;
  tone?: 'plain' | 'warning' | 'bad';
  children?: ComponentChildren;
}) {
  return (
    <div class={`tile tile-${props.tone ?? 'plain'}`}>
      <dt class="quiet small">{props.name}</dt>
      <dd>
        <span class="tile-value">{props.value}</span>
        <span class="quiet small">{props.children}</span>
      </dd>
    </div>
  );
}
