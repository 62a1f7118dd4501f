import type { ComponentChildren } from 'preact';
import type { Presence } from '@openclaw/protocol';
import { hashOf } from '../../page/route.ts';
import { Avatar } from './avatar.tsx';
import { IsolatedText } from './isolated-text.tsx';
import { statuses, statusWords } from './presence.ts';

interface AgentStatus {
  readonly agentId: string;
  readonly status: Presence['status'];
}

/** Most agents that a list draws. */
export const drawnAgentsMax = 300;

/** Orders agents by status, present ones first, and then by id. */
export function compareAgents(a: AgentStatus, b: AgentStatus): number {
  return (
    statuses.indexOf(a.status) - statuses.indexOf(b.status) || a.agentId.localeCompare(b.agentId)
  );
}

/** The status that an agent has written, or else the word for its status. */
export function StatusText(props: {
  status: Presence['status'];
  customStatus: string | null | undefined;
}) {
  if (props.customStatus == null) return <>{statusWords[props.status]}</>;
  return <IsolatedText text={props.customStatus} />;
}

/** An agent with its status; leads to the direct channel with it. */
export function AgentLink(
  props: AgentStatus & {
    avatar: string | null | undefined;
    customStatus: string | null | undefined;
    detail?: string | null;
    children: ComponentChildren;
  },
) {
  const { agentId, status, avatar, customStatus, detail = null } = props;
  return (
    <a class={`person person-${status}`} href={hashOf({ view: 'direct', agentId })}>
      <Avatar agentId={agentId} avatar={avatar} status={status} />
      <span class="person-text">
        <span class="person-name">{props.children}</span>
        <span class="quiet small">
          <StatusText status={status} customStatus={customStatus} />
          {detail !== null && ` · ${detail}`}
        </span>
      </span>
    </a>
  );
}
