import type { ChatStore, StreamPiece } from '@openclaw/chat-store';
import { utf8Bytes } from '@openclaw/protocol';
import type { Logger } from 'pino';
import { unsavedPart, type StreamText } from './stream-texts.ts';

/**
 * New text is checkpointed after this time. Even if `saveDue` is then called a little late, text is saved within a
 * second.
 */
const checkpointAfterMs = 900;
/** New text of this many bytes is due at once. */
const checkpointBytes = 4_096;
const retryMs = 500;
/** A checkpoint takes messages until it has this number of them, or more than `checkpointMaxBytes` of text. */
const checkpointMessages = 64;
const checkpointMaxBytes = 262_144;

/** Writes the new text of growing messages into the database, one checkpoint at a time. */
export function createCheckpoints(deps: {
  readonly store: Pick<ChatStore, 'checkpointStreams'>;
  /**
   * The hub calls this when the message does not grow any more, or its author continued through another hub. The text
   * in memory is then outdated.
   */
  readonly onOutdated: (text: StreamText) => void;
  readonly log: Logger;
  readonly clock: () => number;
}) {
  const { store, log, clock } = deps;
  const unsaved = new Set<StreamText>();
  let saving: Promise<void> | null = null;
  let savesAgainMs = -Infinity;

  function isDue(text: StreamText, nowMs: number): boolean {
    if (nowMs - text.unsavedSinceMs >= checkpointAfterMs) return true;
    // A code unit takes at most three bytes, so most texts need no exact count.
    const length = text.text.length - text.savedLength;
    return 3 * length >= checkpointBytes && utf8Bytes(unsavedPart(text)) >= checkpointBytes;
  }

  async function save(texts: readonly StreamText[]): Promise<void> {
    const pieces = texts.map(pieceOf);
    for (const text of texts) text.unsavedSinceMs = clock();
    try {
      const saved = await store.checkpointStreams(pieces);
      saved.forEach(({ length }, at) => {
        const text = texts[at];
        if (!text) return;
        if (length === null || length > text.text.length) return deps.onOutdated(text);
        text.savedLength = Math.max(text.savedLength, length);
        if (text.savedLength === text.text.length) unsaved.delete(text);
      });
    } catch (error) {
      savesAgainMs = clock() + retryMs;
      for (const text of texts) text.unsavedSinceMs = -Infinity;
      log.debug({ err: error }, 'growing messages were not checkpointed yet');
    }
  }

  /**
   * Checkpoints messages that are due, unless a checkpoint is running. With `all`, also messages that are not due.
   */
  function saveDue(all = false): void {
    const nowMs = clock();
    if (saving || nowMs < savesAgainMs) return;
    const due: StreamText[] = [];
    let bytes = 0;
    for (const text of unsaved) {
      if (!all && !isDue(text, nowMs)) continue;
      due.push(text);
      bytes += 3 * (text.text.length - text.savedLength);
      if (due.length === checkpointMessages || bytes > checkpointMaxBytes) break;
    }
    if (due.length > 0) saving = save(due).finally(() => (saving = null));
  }

  return {
    grown(text: StreamText): void {
      if (!unsaved.has(text)) text.unsavedSinceMs = clock();
      unsaved.add(text);
    },
    forget: (text: StreamText) => void unsaved.delete(text),
    saveDue,
    /** Checkpoints what is in memory. Never rejects. */
    async close(): Promise<void> {
      await saving;
      savesAgainMs = -Infinity;
      for (let left = unsaved.size; left > 0 && unsaved.size > 0; left -= 1) {
        saveDue(true);
        await saving;
        if (clock() < savesAgainMs) break;
      }
    },
  };
}

export function pieceOf(text: StreamText): StreamPiece {
  const { channelId, messageId, savedLength: from } = text;
  return { channelId, messageId, from, text: unsavedPart(text) };
}
