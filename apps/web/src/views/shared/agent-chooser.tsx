import { useEffect, useId, useState } from 'preact/hooks';
import { isId } from '@openclaw/protocol';
import { visibleString } from '../../markdown/visible-text.ts';
import { usePage } from '../page-state.ts';
import { Avatar, knownAgents, unknownPresence } from './agents.tsx';
import { BareField } from './controls.tsx';

const shownMax = 6;

/**
 * Chooses one of the known agents, so that a misspelt name adds nobody. A new name has a separate
 * button, which Enter does not press.
 */
export function AgentChooser(props: {
  label: string;
  placeholder: string;
  /** Agents for which this returns true are not offered, for example members of the channel. */
  isTaken: (agentId: string) => boolean;
  onChoose: (agentId: string) => void;
}) {
  const { session } = usePage();
  const listId = useId();
  const [text, setText] = useState('');
  const [index, setIndex] = useState(0);
  useEffect(() => void session.people.load(), []);
  const wanted = text.trim().replace(/^@/, '');
  const known = knownAgents(session);
  const all = new Set([...known.keys(), ...session.people.ids.value]);
  const offered =
    wanted === ''
      ? []
      : [...all]
          .filter((id) => id.toLowerCase().includes(wanted.toLowerCase()) && !props.isTaken(id))
          .sort((a, b) => rankOf(a, wanted) - rankOf(b, wanted) || a.localeCompare(b))
          .slice(0, shownMax);
  const chosen = offered[Math.min(index, offered.length - 1)];
  const shownText = visibleString(wanted.slice(0, 80));
  const isNew = wanted !== '' && !all.has(wanted) && !props.isTaken(wanted);
  const choose = (agentId: string) => {
    setText('');
    setIndex(0);
    props.onChoose(agentId);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: offered.length - 1 }[event.key];
    if (event.key === 'Enter') {
      event.preventDefault();
      if (chosen !== undefined) choose(chosen);
    } else if (event.key === 'Escape' && text !== '') {
      // Esc must not also close the pane.
      event.preventDefault();
      setText('');
    } else if (step !== undefined && offered.length > 0) {
      event.preventDefault();
      setIndex((index + step) % offered.length);
    }
  };
  return (
    <div class="chooser">
      <BareField
        role="combobox"
        label={props.label}
        placeholder={props.placeholder}
        aria-expanded={offered.length > 0}
        aria-controls={listId}
        aria-activedescendant={chosen === undefined ? undefined : `${listId}-${chosen}`}
        aria-autocomplete="list"
        autoComplete="off"
        value={text}
        onText={(next) => {
          setText(next);
          setIndex(0);
        }}
        onKeyDown={onKeyDown}
      />
      <ul id={listId} role="listbox" aria-label="Known agents and people">
        {offered.map((agentId) => (
          <li
            key={agentId}
            id={`${listId}-${agentId}`}
            class="line"
            role="option"
            aria-selected={agentId === chosen}
            onClick={() => choose(agentId)}
          >
            <Avatar {...(known.get(agentId) ?? unknownPresence)} agentId={agentId} isSmall />
            <span class="ellipsis">{agentId}</span>
          </li>
        ))}
      </ul>
      {isNew && (
        <p class="small quiet" role="status">
          {isId(wanted) ? (
            <>
              {offered.length === 0 ? `Nobody called ${wanted} is known. ` : ''}
              <button class="link" type="button" onClick={() => choose(wanted)}>
                {`Add ${wanted} all the same`}
              </button>
            </>
          ) : (
            `No name can be ${shownText}: use letters, digits and . _ @ | ~ -`
          )}
        </p>
      )}
    </div>
  );
}

function rankOf(agentId: string, text: string): number {
  if (agentId === text) return 0;
  return agentId.toLowerCase().startsWith(text.toLowerCase()) ? 1 : 2;
}
