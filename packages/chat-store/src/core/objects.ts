import type { Channel, JsonObject, Member, Thread } from '@openclaw/protocol';
import type { MemberRow } from './agents.ts';
import type { ChannelWithHead, ThreadsTable } from './tables.ts';

export function channelOf(row: ChannelWithHead): Channel {
  return {
    channelId: row.id,
    name: row.name,
    kind: row.kind,
    topic: row.topic,
    metadata: row.metadata === null ? null : (JSON.parse(row.metadata) as JsonObject),
    createdBy: row.created_by,
    createdAt: row.created_at,
    archivedAt: row.archived_at,
    head: row.head,
    ...(row.retention_ms === null ? {} : { retentionMs: row.retention_ms }),
    ...(row.max_messages === null ? {} : { maxMessages: row.max_messages }),
  };
}

export function memberOf(row: MemberRow): Member {
  return {
    channelId: row.channel_id,
    agentId: row.agent_id,
    kind: row.kind,
    role: row.role,
    displayName: row.display_name,
    joinedAt: row.joined_at,
  };
}

export function threadOf(row: Omit<ThreadsTable, 'announced' | 'last_seq' | 'turns'>): Thread {
  return {
    threadId: row.thread_id,
    channelId: row.channel_id,
    title: row.title,
    createdBy: row.created_by,
    createdAt: row.created_at,
    replies: row.replies,
  };
}

export function toJson(value: object | null): string | null {
  return value === null ? null : JSON.stringify(value);
}
