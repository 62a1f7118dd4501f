import { answer, type Handlers } from '../calls/handler.ts';
import { asHub } from '../edge/identity.ts';
import { cachedRead, RefusedLoad } from './cached-reads.ts';
import { creationCost, refuseCreation } from './creation-limit.ts';
import type { MethodDeps } from './method-deps.ts';
import { readersOf, reads, writes } from './store-methods.ts';

export function channelMethods(deps: MethodDeps) {
  const { store, cache, writer } = deps;
  const getChannel = reads(deps, 'channel.get');
  return {
    'channel.create': (caller, params) =>
      refuseCreation(deps, caller, creationCost(1, params.metadata)) ??
      writer.write(caller, 'channel.create', params),
    async 'channel.get'(caller, params) {
      const { channelId } = params;
      const load = async () => {
        const read = await store.read(asHub, 'channel.get', params, readersOf(channelId));
        if (!read.ok) throw new RefusedLoad(read);
        return { value: read.result.channel, head: read.result.channel.head };
      };
      const mayRead = 'anyone of a public channel';
      const read = await cachedRead(store, caller, channelId, cache.channel, load, mayRead);
      if (!read) return getChannel(caller, params);
      return read.ok ? answer({ channel: read.value }) : read;
    },
    'channel.update': (caller, params) =>
      refuseCreation(deps, caller, creationCost(0, params.metadata)) ??
      writer.write(caller, 'channel.update', params),
    'channel.archive': writes(deps, 'channel.archive'),
    'channel.unarchive': writes(deps, 'channel.unarchive'),
    'channel.delete': writes(deps, 'channel.delete'),
    'channel.list': reads(deps, 'channel.list'),
    'channel.join': writes(deps, 'channel.join'),
    'channel.leave': writes(deps, 'channel.leave'),
    'member.list': reads(deps, 'member.list'),
    'member.add': (caller, params) =>
      refuseCreation(deps, caller, 1) ?? writer.write(caller, 'member.add', params),
    'member.remove': writes(deps, 'member.remove'),
    'member.update': writes(deps, 'member.update'),
    'thread.create': writes(deps, 'thread.create'),
    'thread.update': writes(deps, 'thread.update'),
    'thread.list': reads(deps, 'thread.list'),
    claim: writes(deps, 'claim'),
    'claim.release': writes(deps, 'claim.release'),
    'budget.set': writes(deps, 'budget.set'),
    'budget.get': reads(deps, 'budget.get'),
    'ledger.sum': reads(deps, 'ledger.sum'),
  } satisfies Partial<Handlers>;
}
