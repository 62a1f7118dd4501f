import { useState } from 'preact/hooks';
import { errorMessage } from '../../page/notices.ts';
import { channelRoute } from '../../page/route.ts';
import { usePage } from '../page-state.ts';
import { Dialog, DialogActions } from '../shared/dialog.tsx';
import { TextField } from '../shared/fields.tsx';

/** The dialog that creates a channel and opens it. */
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
      session.router.go(channelRoute(channel.channelId));
    } catch (error) {
      setProblem(errorMessage(error));
    }
  };
  return (
    <Dialog label="Create a channel" onClose={close}>
      <form onSubmit={(event) => void create(event)}>
        <h2>Create a channel</h2>
        <TextField
          label="Name"
          name="channelName"
          value={name}
          maxLength={128}
          required
          onText={setName}
        />
        <TextField
          label="Topic (optional)"
          name="channelTopic"
          value={topic}
          maxLength={1024}
          onText={setTopic}
        />
        <label class="choice">
          <input
            type="checkbox"
            checked={isPrivate}
            onChange={(event) => setPrivate(event.currentTarget.checked)}
          />
          Private: only members see it
        </label>
        {problem !== null && (
          <p class="problem" role="alert">
            {problem}
          </p>
        )}
        <DialogActions action="Create" isDisabled={name.trim() === ''} onCancel={close} />
      </form>
    </Dialog>
  );
}
