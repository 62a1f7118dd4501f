import { isReservedName } from '@openclaw/protocol/wire';
import { refuse } from '../../commands.ts';
import { accepted, loadAuthorized, type Decide } from './decision.ts';
import { refusalOfFrozen } from './freezes.ts';
import { findRepeat, fingerprint } from './repeats.ts';

const needs = { from: 'member', inArchived: false } as const;

/** An event to everyone is in no log, so it is refused here. The hub itself sends such events. */
export const emitCollaboration: Decide<'collaboration.emit'> = async (group, { actor, params }) => {
  const { channelId, name, payload, clientMessageId } = params;
  if (channelId === null) return refuse('unsupported', 'the store keeps no global events');
  if (isReservedName(name))
    return refuse('forbidden', 'only the hub emits events with such a name');
  const print = fingerprint('collaboration.emit', name, payload);
  const repeat = await findRepeat(group, channelId, actor, clientMessageId, print);
  if (repeat) return repeat.ok ? accepted({ seq: repeat.seq }) : repeat;
  const loaded = await loadAuthorized(group, actor, channelId, needs);
  if (!loaded.ok) return loaded;
  const frozen = refusalOfFrozen(actor, loaded.channel);
  if (frozen) return frozen;
  const event = group.append(
    loaded.channel,
    actor,
    { type: 'collaboration.event', name, payload },
    { clientMessageId, fingerprint: print },
  );
  return accepted({ seq: loaded.channel.head }, event);
};
