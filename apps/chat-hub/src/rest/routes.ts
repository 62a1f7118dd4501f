import type { MethodName } from '@openclaw/protocol';

/** A REST route and the method that it mirrors: path params, query and body together are the method's params. */
export interface Route {
  readonly verb: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below `/v1`; `:name` is a param of the method. */
  readonly path: string;
  readonly method: MethodName;
  readonly status: 200 | 201;
  readonly tag: string;
}

/** What a script needs, as resources. */
export const routes: readonly Route[] = [
  { verb: 'GET', path: '/channels', method: 'channel.list', status: 200, tag: 'channels' },
  { verb: 'POST', path: '/channels', method: 'channel.create', status: 201, tag: 'channels' },
  {
    verb: 'GET',
    path: '/channels/:channelId',
    method: 'channel.get',
    status: 200,
    tag: 'channels',
  },
  {
    verb: 'PATCH',
    path: '/channels/:channelId',
    method: 'channel.update',
    status: 200,
    tag: 'channels',
  },
  {
    verb: 'DELETE',
    path: '/channels/:channelId',
    method: 'channel.delete',
    status: 200,
    tag: 'channels',
  },
  {
    verb: 'POST',
    path: '/channels/:channelId/archive',
    method: 'channel.archive',
    status: 200,
    tag: 'channels',
  },
  {
    verb: 'POST',
    path: '/channels/:channelId/join',
    method: 'channel.join',
    status: 200,
    tag: 'channels',
  },
  {
    verb: 'POST',
    path: '/channels/:channelId/leave',
    method: 'channel.leave',
    status: 200,
    tag: 'channels',
  },

  {
    verb: 'GET',
    path: '/channels/:channelId/members',
    method: 'member.list',
    status: 200,
    tag: 'members',
  },
  {
    verb: 'POST',
    path: '/channels/:channelId/members',
    method: 'member.add',
    status: 201,
    tag: 'members',
  },
  {
    verb: 'PATCH',
    path: '/channels/:channelId/members/:agentId',
    method: 'member.update',
    status: 200,
    tag: 'members',
  },
  {
    verb: 'DELETE',
    path: '/channels/:channelId/members/:agentId',
    method: 'member.remove',
    status: 200,
    tag: 'members',
  },

  {
    verb: 'GET',
    path: '/channels/:channelId/messages',
    method: 'message.history',
    status: 200,
    tag: 'messages',
  },
  {
    verb: 'POST',
    path: '/channels/:channelId/messages',
    method: 'message.send',
    status: 201,
    tag: 'messages',
  },
  {
    verb: 'PATCH',
    path: '/channels/:channelId/messages/:messageId',
    method: 'message.edit',
    status: 200,
    tag: 'messages',
  },
  {
    verb: 'DELETE',
    path: '/channels/:channelId/messages/:messageId',
    method: 'message.delete',
    status: 200,
    tag: 'messages',
  },
  {
    verb: 'GET',
    path: '/channels/:channelId/log',
    method: 'log.read',
    status: 200,
    tag: 'messages',
  },
  { verb: 'POST', path: '/direct/:agentId', method: 'direct.send', status: 201, tag: 'messages' },

  {
    verb: 'GET',
    path: '/channels/:channelId/presence',
    method: 'presence.list',
    status: 200,
    tag: 'presence',
  },
  {
    verb: 'GET',
    path: '/channels/:channelId/typing',
    method: 'typing.list',
    status: 200,
    tag: 'typing',
  },
  {
    verb: 'POST',
    path: '/channels/:channelId/typing',
    method: 'typing.start',
    status: 200,
    tag: 'typing',
  },
  {
    verb: 'DELETE',
    path: '/channels/:channelId/typing',
    method: 'typing.stop',
    status: 200,
    tag: 'typing',
  },
];
