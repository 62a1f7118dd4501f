import type { Chat } from '../../store/chat.ts';
import { Avatar } from '../shared/avatar.tsx';

const shownMax = 6;

/** The members whom what is written of a name may mean, the likeliest first. */
export function suggestNames(agentIds: Iterable<string>, naming: string, me: string): string[] {
  return [...agentIds]
    .filter((id) => id !== me && id.toLowerCase().includes(naming.toLowerCase()))
    .sort(
      (a, b) => Number(b.startsWith(naming)) - Number(a.startsWith(naming)) || a.localeCompare(b),
    )
    .slice(0, shownMax);
}

/** Names to choose from, above where one writes; each option's id is made of the list's and its name. */
export function NameSuggestions(props: {
  id: string;
  chat: Chat;
  names: readonly string[];
  chosen: string | undefined;
  onChoose: (name: string) => void;
}) {
  const presences = props.chat.presences.value;
  return (
    <ul class="suggestions" id={props.id} role="listbox" aria-label="Members">
      {props.names.map((name) => (
        <li
          key={name}
          id={`${props.id}-${name}`}
          role="option"
          aria-selected={name === props.chosen}
          onPointerDown={(event) => {
            event.preventDefault();
            props.onChoose(name);
          }}
        >
          <Avatar
            agentId={name}
            avatar={presences.get(name)?.avatar}
            status={presences.get(name)?.status ?? 'offline'}
            isSmall
          />
          {name}
        </li>
      ))}
    </ul>
  );
}
