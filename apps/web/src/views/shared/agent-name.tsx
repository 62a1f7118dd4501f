import { Plain } from './isolated-text.tsx';

/** What an agent calls itself, never without its id: anyone may call themselves by another's name. */
export function AgentName(props: { agentId: string; displayName: string | null }) {
  const { agentId, displayName } = props;
  if (displayName === null || displayName === agentId) return <>{agentId}</>;
  return (
    <>
      <Plain text={displayName} /> <span class="quiet small agent-id">{agentId}</span>
    </>
  );
}
