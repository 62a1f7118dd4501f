import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Member, Presence } from '@openclaw/protocol';
import type { Chat } from '../../store/chat.ts';
import { hashOf } from '../../page/route.ts';
import { AgentName } from '../shared/agent-name.tsx';
import { Avatar } from '../shared/avatar.tsx';
import { Icon } from '../shared/icon.tsx';
import { usePage } from '../../page/page-state.ts';
import { Pane } from '../shared/pane.tsx';
import { statusWords } from '../shared/presence.ts';
import { Plain } from '../shared/isolated-text.tsx';

const drawnMax = 300;
const order = { online: 0, dnd: 1, away: 2, offline: 3 } as const;

/** Who belongs to the channel, those who are there first. */
export function MembersPane({ chat }: { chat: Chat }) {
  const { session, pane } = usePage();
  const [filter, setFilter] = useState('');
  const presences = chat.presences.value;
  const members = [...chat.members.value.values()];
  const statusOf = ({ agentId }: Member) => presences.get(agentId)?.status ?? 'offline';
  const shown = members
    .filter(({ agentId, displayName }) =>
      `${agentId} ${displayName ?? ''}`.toLowerCase().includes(filter.toLowerCase()),
    )
    .sort((a, b) => order[statusOf(a)] - order[statusOf(b)] || a.agentId.localeCompare(b.agentId));
  const present = members.filter((member) => statusOf(member) !== 'offline').length;
  const isOwner =
    chat.members.value.get(session.me)?.role === 'owner' &&
    chat.channel.value.kind !== 'direct' &&
    chat.channel.value.archivedAt === null;

  return (
    <Pane title="Members" onClose={() => (pane.value = 'none')}>
      <div class="pane-tools">
        <input
          type="search"
          aria-label="Find a member"
          placeholder={`${members.length} members, ${present} here`}
          value={filter}
          onInput={(event) => setFilter(event.currentTarget.value)}
        />
        {isOwner && <AddMember chat={chat} />}
      </div>
      <ul class="people" tabIndex={0} aria-label="Members">
        {shown.slice(0, drawnMax).map((member) => (
          <Person key={member.agentId} member={member} presence={presences.get(member.agentId)}>
            {isOwner && <MemberActions chat={chat} member={member} />}
          </Person>
        ))}
      </ul>
      {shown.length > drawnMax && (
        <p class="quiet pane-note">{shown.length - drawnMax} more: write a part of a name.</p>
      )}
    </Pane>
  );
}

function Person(props: {
  member: Member;
  presence: Presence | undefined;
  children: ComponentChildren;
}) {
  const { presence } = props;
  const { agentId, displayName, role } = props.member;
  const status = presence?.status ?? 'offline';
  return (
    <li class="member">
      <a class={`person person-${status}`} href={hashOf({ view: 'direct', agentId })}>
        <Avatar agentId={agentId} avatar={presence?.avatar} status={status} />
        <span class="person-text">
          <span class="person-name">
            <AgentName agentId={agentId} displayName={displayName} />
            {role === 'owner' && <span class="role">owner</span>}
          </span>
          <span class="quiet small">
            {presence?.customStatus == null ? (
              statusWords[status]
            ) : (
              <Plain text={presence.customStatus} />
            )}
          </span>
        </span>
      </a>
      {props.children}
    </li>
  );
}

/** What an owner can do with a member, in a row below it. */
function MemberActions({ chat, member }: { chat: Chat; member: Member }) {
  const { session } = usePage();
  const [isOpen, setOpen] = useState(false);
  const { agentId, role } = member;
  const channel = session.client.channel(chat.id);
  const act = (work: Promise<unknown>, failure: string) => {
    setOpen(false);
    work.catch((error: unknown) => session.notices.report(failure, error));
  };
  const other = role === 'owner' ? 'member' : 'owner';
  return (
    <>
      <button
        class="icon-button member-more"
        aria-label={`Change ${agentId}`}
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        <Icon name="more" />
      </button>
      {isOpen && (
        <div class="member-actions">
          <button
            onClick={() =>
              act(channel.updateMember(agentId, { role: other }), `${agentId} is still ${role}`)
            }
          >
            Make {other}
          </button>
          <button onClick={() => act(channel.removeMember(agentId), `${agentId} was not removed`)}>
            Remove
          </button>
        </div>
      )}
    </>
  );
}

function AddMember({ chat }: { chat: Chat }) {
  const { session } = usePage();
  const [name, setName] = useState('');
  const add = (event: Event) => {
    event.preventDefault();
    const agentId = name.trim();
    if (agentId === '') return;
    setName('');
    session.client
      .channel(chat.id)
      .addMember(agentId)
      .catch((error: unknown) => session.notices.report(`${agentId} was not added`, error));
  };
  return (
    <form class="inline-form" onSubmit={add}>
      <input
        aria-label="Add a member by name"
        placeholder="Add by name"
        value={name}
        onInput={(event) => setName(event.currentTarget.value)}
      />
      <button type="submit" disabled={name.trim() === ''}>
        Add
      </button>
    </form>
  );
}
