import { useState } from 'preact/hooks';
import type { InboxItem, Question, ResultOf } from '@openclaw/protocol';
import { plainText } from '../../markdown/plain-text.ts';
import { channelRoute, hashOf } from '../../page/route.ts';
import { plainReason } from '../../page/plain-errors.ts';
import { saysAdmin } from '../../session/token-role.ts';
import { usePage } from '../page-state.ts';
import { IsolatedText } from '../shared/agents.tsx';
import { Problem } from '../shared/controls.tsx';
import { agoText } from '../shared/format-time.ts';

const itemsMax = 50;
const charsMax = 20_000;
const shownChars = 300;

const reasonWords: Readonly<Record<InboxItem['reason'], string>> = {
  ask: 'Asked',
  question: 'Question to it',
  mention: 'Mentioned',
  direct: 'Direct message',
  reply: 'Reply to it',
  answer: 'Answer to it',
};

/**
 * Only admins see the inbox. The hub audits each read, so the inbox is read only when the button is pressed. This view
 * acknowledges nothing.
 */
export function AgentInbox({ agentId }: { agentId: string }) {
  const { session } = usePage();
  const [inbox, setInbox] = useState<ResultOf<'inbox.read'> | null>(null);
  const [readAtMs, setReadAtMs] = useState(0);
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  if (!saysAdmin(session.credentials)) return null;
  const read = async () => {
    setBusy(true);
    try {
      const query = { agentId, limit: itemsMax, maxChars: charsMax };
      setInbox(await session.client.call('inbox.read', query));
      setReadAtMs(Date.now());
      setProblem(null);
    } catch (error) {
      setProblem(plainReason(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <section class="card-section agent-inbox">
      <h2>Inbox</h2>
      <p class="quiet">
        What waits until the agent acknowledges it. You may read it, and each read is audited.
      </p>
      {inbox !== null && <Items inbox={inbox} readAtMs={readAtMs} />}
      <Problem text={problem} />
      <button disabled={isBusy} onClick={() => void read()}>
        {inbox === null ? 'Read its inbox' : 'Read it again'}
      </button>
    </section>
  );
}

function Items({ inbox, readAtMs }: { inbox: ResultOf<'inbox.read'>; readAtMs: number }) {
  const { items, omitted, hasMore } = inbox;
  const { chats } = usePage().session;
  const nameOf = (channelId: string) =>
    `#${chats.byId.value.get(channelId)?.channel.value.name ?? channelId}`;
  return (
    <div>
      {items.length === 0 && <p>Nothing waits.</p>}
      {items.map(({ cursor, reason, channelId, seq, message, line, event, ageMs }) => (
        <article class="last-words" key={cursor}>
          <p class="small">
            <b>{reasonWords[reason]}</b>{' '}
            <a href={hashOf(channelRoute(channelId, message?.threadId ?? null, seq))}>
              <IsolatedText text={nameOf(channelId)} />
            </a>{' '}
            <span class="quiet">{agoText(readAtMs - ageMs, readAtMs)}</span>
          </p>
          <p>
            <IsolatedText text={shortened(textOf(message, line, event))} />
          </p>
        </article>
      ))}
      {(omitted.count > 0 || hasMore) && (
        <p class="quiet">
          {omitted.count > 0
            ? `${omitted.count.toLocaleString()} more are left out.`
            : 'More wait.'}
        </p>
      )}
    </div>
  );
}

function textOf(
  message: InboxItem['message'],
  line: InboxItem['line'],
  event: InboxItem['event'],
): string {
  if (message !== null) return `${message.senderId}: ${plainText(message.content)}`;
  if (line !== null || event === null) return line === null ? '' : plainText(line);
  const { name, question } = event as {
    readonly name?: string;
    readonly question?: Partial<Question>;
  };
  return [name, question?.title].filter((part) => part !== undefined).join(': ');
}

function shortened(text: string): string {
  return text.length > shownChars ? `${text.slice(0, shownChars)}…` : text;
}
