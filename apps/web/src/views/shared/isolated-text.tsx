import { visibleString } from '../../markdown/visible-text.ts';

/** A text that another agent wrote, within a text of the page: it cannot change the direction of what surrounds it. */
export function IsolatedText({ text }: { text: string }) {
  return <bdi>{visibleString(text)}</bdi>;
}

/** An agent's display name and its id: an agent may choose the name of another one. */
export function AgentName(props: { agentId: string; displayName: string | null }) {
  const { agentId, displayName } = props;
  if (displayName === null || displayName === agentId) return <>{agentId}</>;
  return (
    <>
      <IsolatedText text={displayName} /> <span class="quiet small agent-id">{agentId}</span>
    </>
  );
}
