import { cachedRead, RefusedLoad } from '../cached-reads.ts';
import { asHub, readersOf, reads, writes, type Hub } from '../hub.ts';
import { answer, type Handlers } from '../rpc/answer.ts';

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
  return {
    'channel.create': writes(hub, 'channel.create'),
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
      return read.ok ? answer({ channel: read.value }) : read;
    },
    'channel.update': writes(hub, 'channel.update'),
    'channel.archive': writes(hub, 'channel.archive'),
    'channel.delete': writes(hub, 'channel.delete'),
    'channel.list': reads(hub, 'channel.list'),
    'channel.join': writes(hub, 'channel.join'),
    'channel.leave': writes(hub, 'channel.leave'),
    'member.list': reads(hub, 'member.list'),
    'member.add': writes(hub, 'member.add'),
    'member.remove': writes(hub, 'member.remove'),
    'member.update': writes(hub, 'member.update'),
    'thread.create': writes(hub, 'thread.create'),
    'thread.update': writes(hub, 'thread.update'),
    'thread.list': reads(hub, 'thread.list'),
  };
}
