import { useState } from 'preact/hooks';
import { visibleString } from '../../markdown/visible-text.ts';
import { plainReason } from '../../page/plain-errors.ts';
import type { Chat } from '../../store/chat.ts';
import { usePage } from '../page-state.ts';
import { IsolatedText } from '../shared/agents.tsx';
import { Dialog, DialogActions, Problem, TextField } from '../shared/controls.tsx';
import { NameAndTopic } from './name-and-topic.tsx';

interface DialogProps {
  readonly chat: Chat;
  readonly onClose: () => void;
}

export function ChannelSettings({ chat, onClose }: DialogProps) {
  const { session } = usePage();
  const before = chat.channel.peek();
  const [name, setName] = useState(before.name);
  const [topic, setTopic] = useState(before.topic ?? '');
  const [problem, setProblem] = useState<string | null>(null);
  const save = async (event: Event) => {
    event.preventDefault();
    const next = { name: name.trim(), topic: topic.trim() || null };
    // Another owner may have changed the other fields, so only changed ones are sent.
    const changes = {
      ...(next.name !== before.name && { name: next.name }),
      ...(next.topic !== before.topic && { topic: next.topic }),
    };
    try {
      if (Object.keys(changes).length > 0) {
        const { channel } = await session.client.channel(chat.id).update(changes);
        chat.channel.value = channel;
      }
      onClose();
    } catch (error) {
      setProblem(plainReason(error));
    }
  };
  return (
    <Dialog label="Name and topic" onClose={onClose}>
      <form onSubmit={(event) => void save(event)}>
        <h2>Name and topic</h2>
        <NameAndTopic {...{ name, topic }} onName={setName} onTopic={setTopic} />
        <Problem text={problem} />
        <DialogActions action="Save" isDisabled={name.trim() === ''} onCancel={onClose} />
      </form>
    </Dialog>
  );
}

/** The name must be typed, because the deletion cannot be undone. */
export function DeleteChannel({ chat, onClose }: DialogProps) {
  const { session } = usePage();
  const { name } = chat.channel.value;
  const [typed, setTyped] = useState('');
  // Invisible characters are shown as their names, and can be typed as their names.
  const isTyped = [name, visibleString(name)].some((each) => each.trim() === typed.trim());
  const [problem, setProblem] = useState<string | null>(null);
  const remove = async (event: Event) => {
    event.preventDefault();
    try {
      await session.client.channel(chat.id).deleteChannel();
      session.chats.remove(chat.id);
      session.router.go({ view: 'browse' });
      onClose();
    } catch (error) {
      setProblem(plainReason(error));
    }
  };
  return (
    <Dialog label="Delete this channel?" onClose={onClose}>
      <form onSubmit={(event) => void remove(event)}>
        <h2>
          Delete <IsolatedText text={name} />?
        </h2>
        <p>
          All of its messages are removed for everyone, and nothing brings them back. To keep them,
          archive the channel.
        </p>
        <TextField label="Type its name" name="typedName" value={typed} onText={setTyped} />
        <Problem text={problem} />
        <DialogActions action="Delete" isDangerous isDisabled={!isTyped} onCancel={onClose} />
      </form>
    </Dialog>
  );
}
