import { parseMarkdown } from '../../markdown/parse.ts';
import { renderMarkdown } from '../../markdown/render.ts';
import { usePage } from '../page-state.ts';
import { Avatar, IsolatedText } from '../shared/agents.tsx';
import { type ComposeTarget, isSentTo } from './compose-target.ts';

export function OutgoingList({ target }: { target: ComposeTarget }) {
  const { me, outbox, profile, connectionStatus } = usePage().session;
  const items = outbox.items.value.filter((item) => isSentTo(target, item));
  const sending = connectionStatus.value.tone === 'bad' ? 'Waiting for connection' : 'Sending…';
  const states = { sending, stored: '', failed: 'Not sent' };
  return (
    <div class="outgoing-list">
      {items.map(({ id, state, content, mentions, error }) => (
        <article key={id} class={`message outgoing outgoing-${state}`}>
          <div class="gutter">
            <Avatar agentId={me} avatar={profile.value.avatar} />
          </div>
          <div class="message-body">
            <header>
              <span class="author">{me}</span>
              <span class="quiet small">{states[state]}</span>
            </header>
            <div class="content">{renderMarkdown(parseMarkdown(content), { me, mentions })}</div>
            {state === 'failed' && (
              <p class="problem" role="alert">
                <IsolatedText text={error ?? ''} />{' '}
                <button class="link" onClick={() => outbox.retry(id)}>
                  Try again
                </button>{' '}
                <button class="link" onClick={() => outbox.discard(id)}>
                  Discard
                </button>
              </p>
            )}
          </div>
        </article>
      ))}
    </div>
  );
}
