import { useState } from 'preact/hooks';
import { Dialog } from '../shared/dialog.tsx';
import { usePage } from '../../page/page-state.ts';

/** Asks for a new channel's name, makes it, and goes there. */
export function CreateChannel() {
  const { session, isCreateOpen, isDrawerOpen } = usePage();
  const [name, setName] = useState('');
  const [topic, setTopic] = useState('');
  const [isPrivate, setPrivate] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const close = () => (isCreateOpen.value = false);
  const create = async (event: Event) => {
    event.preventDefault();
    try {
      const { channel } = await session.client.createChannel({
        name: name.trim(),
        kind: isPrivate ? 'private' : 'public',
        topic: topic.trim() || null,
      });
      session.chats.add(channel);
      close();
      isDrawerOpen.value = false;
      session.router.go({ view: 'channel', channelId: channel.channelId, threadId: null });
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <Dialog label="Create a channel" onClose={close}>
      <form onSubmit={(event) => void create(event)}>
        <h2>Create a channel</h2>
        <label class="field">
          <span>Name</span>
          <input
            name="channelName"
            value={name}
            maxLength={128}
            required
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </label>
        <label class="field">
          <span>Topic, if you like</span>
          <input
            name="channelTopic"
            value={topic}
            maxLength={1024}
            onInput={(event) => setTopic(event.currentTarget.value)}
          />
        </label>
        <label class="choice">
          <input
            type="checkbox"
            checked={isPrivate}
            onChange={(event) => setPrivate(event.currentTarget.checked)}
          />
          Private: only those who are added see it
        </label>
        {problem !== null && (
          <p class="problem" role="alert">
            {problem}
          </p>
        )}
        <div class="dialog-actions">
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={name.trim() === ''}>
            Create
          </button>
        </div>
      </form>
    </Dialog>
  );
}
