import { newAuditId, type AuditRecord, type ChatStore } from '@openclaw/chat-store';
import type { MethodName, ParamsOf } from '@openclaw/protocol';
import type { Logger } from 'pino';
import type { Transport } from '../calls/handler.ts';
import type { Identity } from '../edge/identity.ts';
import { createWriteBehind } from '../edge/write-behind.ts';

/** While the database is away, acts beyond this number are only in the log stream. */
const maxPending = 10_000;

/**
 * An admin's calls of these methods are recorded, because these methods change data of other agents, or list all
 * agents.
 */
const adminMethods: ReadonlySet<MethodName> = new Set([
  'channel.update',
  'channel.archive',
  'channel.unarchive',
  'channel.delete',
  'member.add',
  'member.remove',
  'member.update',
  'message.delete',
  'agent.list',
]);

/** Texts, such as names and topics, stay out of the audit log. */
const namedParams = ['channelId', 'agentId', 'messageId', 'role', 'retentionMs', 'maxMessages'];

export interface ActRequest {
  readonly identity: Identity;
  readonly transport: Transport;
  readonly requestId: string | null;
}

/** Records acts in the store for `GET /v1/audit`, and in the log stream at any LOG_LEVEL. */
export function createAudit(deps: {
  readonly store: Pick<ChatStore, 'recordAudit'>;
  readonly hubId: string;
  readonly log: Logger;
}) {
  const { store, hubId, log } = deps;
  const auditLog = log.child(
    { part: 'audit' },
    log.level === 'silent' || log.isLevelEnabled('info') ? {} : { level: 'info' },
  );
  const writes = createWriteBehind<AuditRecord>({
    write: (records) => store.recordAudit(records),
    what: 'administrative acts',
    ...{ log, maxPending },
  });

  function logged({ action, hubId: _inEachLine, ...about }: AuditRecord): void {
    auditLog.info({ action, ...about }, `an administrative act: ${action}`);
  }

  function recordOf(
    { identity, transport, requestId }: ActRequest,
    act: Pick<AuditRecord, 'action' | 'target' | 'details'>,
  ): AuditRecord {
    const { agentId: actor, address = null } = identity;
    return { actor, ...act, via: transport, address, requestId, hubId };
  }

  function record(request: ActRequest, act: Parameters<typeof recordOf>[1]): void {
    const record = recordOf(request, act);
    logged(record);
    // If the answer to a write is lost, the write is repeated with the same id, so the store records the act once.
    const id = newAuditId();
    if (!writes.add(id, { ...record, id }))
      log.error({ action: act.action }, 'an administrative act is in the log stream only');
  }

  return {
    recordOf,
    logged,
    /** Call it after each successful call. Records only administrative acts. */
    called(request: ActRequest, method: MethodName, params: object): void {
      if (!request.identity.isAdmin || !isAct(request.identity, method, params)) return;
      const named = params as Readonly<Record<string, unknown>>;
      const details = Object.fromEntries(
        namedParams.filter((name) => named[name] !== undefined).map((name) => [name, named[name]]),
      );
      const target = named['agentId'] ?? named['channelId'] ?? null;
      record(request, {
        action: method,
        target: typeof target === 'string' ? target : null,
        details,
      });
    },
    record,
    close: () => writes.close(),
  };
}

function isAct({ agentId }: Identity, method: MethodName, params: object): boolean {
  if (adminMethods.has(method)) return true;
  if (method === 'inbox.read') {
    const { agentId: owner } = params as ParamsOf<'inbox.read'>;
    return owner !== null && owner !== agentId;
  }
  // With `channelId: null`, these two methods concern all channels, not only those of the admin. The request alone
  // counts as an act, even if the answer shows nothing of other channels.
  const isOfAll = method === 'collaboration.emit' || method === 'question.list';
  return isOfAll && 'channelId' in params && params.channelId === null;
}

export type Audit = ReturnType<typeof createAudit>;
