import { limits } from '@openclaw/protocol';
import type { Session } from '../sockets/session.ts';
import type { UnsentBudget } from '../sockets/unsent-budget.ts';
import type { Payload } from './json-rpc.ts';

/**
 * Runs the calls of a batch side by side and sends their responses as one array. What the calls set going is sent
 * after the array, because a response precedes what it begins. `hasRoom` is false once the responses fill one answer.
 */
export async function collectReplies<T>(
  session: Session,
  unsent: Pick<UnsentBudget, 'open'>,
  batch: readonly T[],
  run: (call: T, emit: (payload: Payload) => void, hasRoom: () => boolean) => Promise<void>,
): Promise<void> {
  const responses: (Payload | undefined)[] = batch.map(() => undefined);
  let bytes = 0;
  const hasRoom = () => bytes < limits.resumeBytes;
  const waiting = unsent.open(session.agentId);
  const release = session.buffer();
  await Promise.all(
    batch.map((call, index) => {
      const emit = (payload: Payload) => {
        responses[index] = payload;
        bytes += sizeOf(payload);
        waiting.settle(bytes);
      };
      return run(call, emit, hasRoom);
    }),
  );
  const pieces: Buffer[] = [];
  for (const response of responses) {
    if (response === undefined) continue;
    pieces.push(Buffer.from(pieces.length === 0 ? '[' : ','));
    if (typeof response === 'string') pieces.push(Buffer.from(response));
    else pieces.push(...response);
  }
  release(pieces.length > 0 ? [...pieces, Buffer.from(']')] : null);
  waiting.release();
}

function sizeOf(payload: Payload): number {
  return typeof payload === 'string'
    ? Buffer.byteLength(payload)
    : payload.reduce((sum, piece) => sum + piece.length, 0);
}
