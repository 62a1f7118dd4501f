import { useEffect, useState } from 'preact/hooks';
import type { OperationsAgent } from '@openclaw/protocol';
import { plainReason } from '../../page/plain-errors.ts';
import type { Session } from '../../session/session.ts';
import { readOperations } from '../../session/operations-request.ts';
import { usePolling } from '../operations/operations-api.ts';

const everyMs = 2_000;
const costEveryMs = 30_000;
const dayMs = 86_400_000;

export interface AgentAnswer {
  readonly found: OperationsAgent | null;
  readonly problem: string | null;
  readonly receivedAtMs: number | null;
  readonly refresh: () => void;
}

export function useAgent(session: Session, agentId: string): AgentAnswer {
  const [answer, setAnswer] = useState<Omit<AgentAnswer, 'refresh'>>({
    ...{ found: null, problem: null, receivedAtMs: null },
  });
  const poll = async () => {
    try {
      const found = await readOperations<OperationsAgent>(
        session.credentials,
        `/fleet/${encodeURIComponent(agentId)}`,
      );
      setAnswer({ found, problem: null, receivedAtMs: Date.now() });
    } catch (error) {
      setAnswer((before) => ({ ...before, problem: (error as Error).message }));
    }
  };
  usePolling(poll, everyMs, [session, agentId]);
  return { ...answer, refresh: () => void poll() };
}

export interface AgentCost {
  readonly turns: number;
  readonly tokensIn: number;
  readonly tokensOut: number;
  readonly costMicros: number;
}

/**
 * Sums of the agent's costs in the reader's channels. Null before the first answer, or when the agent reports no cost.
 */
export function useCost(session: Session, agentId: string): AgentCost | null {
  const [cost, setCost] = useState<AgentCost | null>(null);
  const poll = async () => {
    try {
      const after = Date.now() - dayMs;
      const { rows } = await session.client.ledger({ agentId, by: 'agent', after });
      const [row] = rows;
      setCost(row === undefined || row.turns === 0 ? null : row);
    } catch {
      // The page keeps the cost of the last answer, or shows none.
    }
  };
  usePolling(poll, costEveryMs, [session, agentId]);
  return cost;
}

export interface LastWords {
  readonly channelId: string;
  readonly seq: number;
  readonly timestamp: number;
  readonly content: string | null;
  readonly problem: string | null;
}

/**
 * The operations view has no texts of messages. Each text is read from its channel, so the reader needs the right to
 * read the message.
 */
export function useLastWords(
  session: Session,
  messages: OperationsAgent['lastMessages'] | null,
): readonly LastWords[] {
  const [words, setWords] = useState<readonly LastWords[]>([]);
  const wanted = (messages ?? []).map(({ messageId }) => messageId).join(' ');
  useEffect(() => {
    let isOver = false;
    const read = async ({
      channelId,
      messageId,
      seq,
      timestamp,
    }: OperationsAgent['lastMessages'][number]): Promise<LastWords> => {
      const place = { channelId, seq, timestamp };
      try {
        const { message } = await session.client.call('message.get', { channelId, messageId });
        return { ...place, content: message.content, problem: null };
      } catch (error) {
        return { ...place, content: null, problem: plainReason(error) };
      }
    };
    void Promise.all((messages ?? []).map(read)).then((found) => {
      if (!isOver) setWords(found);
    });
    return () => {
      isOver = true;
    };
  }, [wanted]);
  return words;
}
