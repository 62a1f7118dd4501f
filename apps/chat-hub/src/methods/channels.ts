import { cachedRead, RefusedLoad } from './cached-reads.ts';
import { creationCost, refuseCreation } from './creation-limit.ts';
import { asHub, readersOf, reads, write, writes, type Hub } from './hub.ts';
import { answer, type Handlers } from '../calls/answer.ts';

/** channel.*, member.* and thread.*: what the store decides and answers by itself. */
export function channelMethods(
  hub: Hub,
): Pick<
  Handlers,
  | 'channel.create'
  | 'channel.get'
  | 'channel.update'
  | 'channel.archive'
  | 'channel.delete'
  | 'channel.list'
  | 'channel.join'
  | 'channel.leave'
  | 'member.list'
  | 'member.add'
  | 'member.remove'
  | 'member.update'
  | 'thread.create'
  | 'thread.update'
  | 'thread.list'
> {
  const getChannel = reads(hub, 'channel.get');
  return {
    'channel.create': (caller, params) =>
      refuseCreation(hub, caller, creationCost(1, params.metadata)) ??
      write(hub, caller, 'channel.create', params),
    async 'channel.get'(caller, params) {
      const { channelId } = params;
      const load = async () => {
        const read = await hub.store.read(asHub, 'channel.get', params, readersOf(channelId));
        if (!read.ok) throw new RefusedLoad(read);
        return { value: read.result.channel, head: read.result.channel.head };
      };
      const read = await cachedRead(
        hub,
        caller,
        channelId,
        hub.cache.channel,
        load,
        'anyone of a public channel',
      );
      if (!read) return getChannel(caller, params);
      return read.ok ? answer({ channel: read.value }) : read;
    },
    'channel.update': (caller, params) =>
      refuseCreation(hub, caller, creationCost(0, params.metadata)) ??
      write(hub, caller, 'channel.update', params),
    'channel.archive': writes(hub, 'channel.archive'),
    'channel.delete': writes(hub, 'channel.delete'),
    'channel.list': reads(hub, 'channel.list'),
    'channel.join': writes(hub, 'channel.join'),
    'channel.leave': writes(hub, 'channel.leave'),
    'member.list': reads(hub, 'member.list'),
    'member.add': (caller, params) =>
      refuseCreation(hub, caller, 1) ?? write(hub, caller, 'member.add', params),
    'member.remove': writes(hub, 'member.remove'),
    'member.update': writes(hub, 'member.update'),
    'thread.create': writes(hub, 'thread.create'),
    'thread.update': writes(hub, 'thread.update'),
    'thread.list': reads(hub, 'thread.list'),
  };
}
