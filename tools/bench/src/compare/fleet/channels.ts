import type { Client } from './client.ts';
import { markedText, nowMicros } from './marks.ts';

export interface Channel {
  readonly channelId: string;
  readonly members: readonly Client[];
}

export function channelsOf(clients: readonly Client[]): readonly Channel[] {
  const members = new Map<string, Client[]>();
  for (const client of clients) {
    for (const channelId of client.channelIds) {
      const list = members.get(channelId);
      if (list) list.push(client);
      else members.set(channelId, [client]);
    }
  }
  return [...members].map(([channelId, list]) => ({ channelId, members: list }));
}

export function channelOf(channels: readonly Channel[], index: number): Channel {
  const channel = channels[index % channels.length];
  if (!channel) throw new Error('the fleet has no channels');
  return channel;
}

/** The channel's members take turns. Returns false if none of them can send. */
export function publish(
  channels: readonly Channel[],
  index: number,
  contentBytes: number,
  mayPublish: (client: Client) => boolean = () => true,
): boolean {
  const { channelId, members } = channelOf(channels, index);
  const first = Math.floor(index / channels.length);
  for (let turn = 0; turn < members.length; turn += 1) {
    const member = members[(first + turn) % members.length];
    if (!member?.isReady || !mayPublish(member)) continue;
    member.publish(index, channelId, markedText({ index, sentMicros: nowMicros() }, contentBytes));
    return true;
  }
  return false;
}
