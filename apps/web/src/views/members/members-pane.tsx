import { useState } from 'preact/hooks';
import type { Member } from '@openclaw/protocol';
import type { Chat } from '../../store/chat.ts';
import { usePage } from '../page-state.ts';
import {
  AgentLink,
  AgentName,
  compareAgents,
  NotDrawn,
  drawnAgentsMax,
  unknownPresence,
} from '../shared/agents.tsx';
import { AgentChooser } from '../shared/agent-chooser.tsx';
import { BareField, ConfirmDialog, IconButton, matches, Pane } from '../shared/controls.tsx';

export function MembersPane({ chat }: { chat: Chat }) {
  const { session, pane } = usePage();
  const [filter, setFilter] = useState('');
  const members = [...chat.members.value.values()].map((member) => ({
    ...member,
    ...(chat.presences.value.get(member.agentId) ?? unknownPresence),
  }));
  const shown = members
    .filter(({ agentId, displayName }) => matches(`${agentId} ${displayName ?? ''}`, filter))
    .sort(compareAgents);
  const present = members.filter(({ status }) => status !== 'offline').length;
  const isOwner =
    chat.members.value.get(session.me)?.role === 'owner' &&
    chat.channel.value.kind !== 'direct' &&
    chat.channel.value.archivedAt === null;

  return (
    <Pane title="Members" onClose={() => (pane.value = 'none')}>
      <div class="pane-tools">
        <BareField
          type="search"
          label="Find a member"
          placeholder={`${members.length} members, ${present} here`}
          value={filter}
          onText={setFilter}
        />
        {isOwner && <AddMember chat={chat} />}
      </div>
      <ul class="people scrolls" tabIndex={0} aria-label="Members">
        {shown.slice(0, drawnAgentsMax).map((member) => (
          <li class="member" key={member.agentId}>
            <AgentLink {...member}>
              <AgentName members={chat.members.value} agentId={member.agentId} />
              {member.role === 'owner' && <span class="role">owner</span>}
            </AgentLink>
            {isOwner && <MemberActions chat={chat} member={member} />}
          </li>
        ))}
      </ul>
      {shown.length === 0 && (
        <p class="quiet pane-note">No member has this name. Try a part of it.</p>
      )}
      <NotDrawn count={shown.length - drawnAgentsMax} />
    </Pane>
  );
}

function MemberActions({ chat, member }: { chat: Chat; member: Member }) {
  const { session } = usePage();
  const [isOpen, setOpen] = useState(false);
  const [isAsking, setAsking] = useState(false);
  const { agentId, role } = member;
  const channel = session.client.channel(chat.id);
  const act = (call: Promise<unknown>, failure: string) => {
    setOpen(false);
    call.catch(session.notices.report(failure));
  };
  const other = role === 'owner' ? 'member' : 'owner';
  return (
    <>
      <IconButton
        icon="more"
        label={`Change ${agentId}`}
        extraClass="member-more"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      />
      {isOpen && (
        <div class="member-actions">
          <button
            onClick={() =>
              act(channel.updateMember(agentId, { role: other }), `${agentId} is still ${role}`)
            }
          >
            Make {other}
          </button>
          <button
            class="dangerous"
            onClick={() => {
              setOpen(false);
              setAsking(true);
            }}
          >
            Remove…
          </button>
        </div>
      )}
      {isAsking && (
        <ConfirmDialog
          label={`Remove ${agentId}?`}
          text={
            agentId === session.me
              ? 'You will no longer see the messages of this channel.'
              : 'It no longer sees this channel and cannot write here. An owner can add it again.'
          }
          action="Remove"
          isDangerous
          onClose={() => setAsking(false)}
          onConfirm={() => {
            setAsking(false);
            act(channel.removeMember(agentId), `${agentId} was not removed`);
          }}
        />
      )}
    </>
  );
}

function AddMember({ chat }: { chat: Chat }) {
  const { session } = usePage();
  return (
    <AgentChooser
      label="Add a member by name"
      placeholder="Add somebody…"
      isTaken={(agentId) => chat.members.value.has(agentId)}
      onChoose={(agentId) => {
        session.client
          .channel(chat.id)
          .addMember(agentId)
          .catch(session.notices.report(`${agentId} was not added`));
      }}
    />
  );
}
