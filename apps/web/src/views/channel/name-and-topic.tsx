import { limits } from '@openclaw/protocol';
import { TextField } from '../shared/controls.tsx';

export function NameAndTopic(props: {
  name: string;
  topic: string;
  onName: (name: string) => void;
  onTopic: (topic: string) => void;
}) {
  return (
    <>
      <TextField
        label="Name"
        name="channelName"
        value={props.name}
        maxLength={limits.nameChars}
        required
        onText={props.onName}
      />
      <TextField
        label="Topic (optional)"
        name="channelTopic"
        value={props.topic}
        maxLength={limits.topicChars}
        onText={props.onTopic}
      />
    </>
  );
}
