import type { ParamsInputOf, ResultOf } from '@openclaw/protocol';
import type { CallMethod, CallOptions } from './calls.ts';
import { HubError, retryPauseMs } from './errors.ts';

const appendEveryMs = 50;

type Finish = Omit<
  ParamsInputOf<'message.finish'>,
  'channelId' | 'messageId' | 'state' | 'length'
> & {
  /** @default 'complete' */
  readonly state?: ParamsInputOf<'message.finish'>['state'];
};

export interface MessageStream {
  readonly messageId: string;
  readonly seq: number;
  /** The whole text so far, kept until `finish` is answered. */
  readonly text: string;
  /**
   * The error with which the hub refuses more text, for example because the message was deleted or this agent was
   * frozen. The model can then stop. Null while the hub has refused nothing.
   */
  readonly refusal: HubError | null;
  /**
   * Sends the text within 50 ms, together with other appended text. After a reconnect, sends all text that the hub
   * lacks.
   */
  append(text: string): void;
  /**
   * Ends the message with its whole text, or with `content`. The call may be repeated after it was rejected with
   * `HubError`.
   */
  finish(end?: Finish, options?: CallOptions): Promise<ResultOf<'message.finish'>>;
}

export function createMessageStream(
  call: CallMethod,
  { channelId, content }: { readonly channelId: string; readonly content: string },
  { messageId, seq, duplicate }: ResultOf<'message.send'>,
): MessageStream {
  let text = content;
  let accepted = content.length;
  let nextMs = -Infinity;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let sending: Promise<void> | null = null;
  /** True when the message has ended or the hub refuses appends. Further appends have no effect. */
  let isOver = false;
  let refusal: HubError | null = null;

  /**
   * The length of the text that can be sent. If the text ends with half a surrogate pair, this half waits for the
   * other.
   */
  const sendable = () => (/[\uD800-\uDBFF]$/.test(text) ? text.length - 1 : text.length);

  async function send(): Promise<void> {
    nextMs = Date.now() + appendEveryMs;
    const more = text.slice(accepted, sendable());
    const params = { channelId, messageId, from: accepted, text: more };
    try {
      accepted = (await call('message.append', params)).length;
    } catch (error) {
      const pauseMs = retryPauseMs(error);
      const { length, state } = conflictOf(error);
      if (pauseMs !== null) nextMs = Date.now() + pauseMs;
      else if (state === 'streaming' && length < accepted) accepted = length;
      else {
        isOver = true;
        // If the message was interrupted, or still grows but has another text (from an earlier process), the append
        // fails with a conflict. `finish` can still replace the text, so this is no refusal.
        if (error instanceof HubError && state !== 'streaming' && state !== 'interrupted')
          refusal = error;
      }
    }
  }

  function schedule(): void {
    if (isOver || sending !== null || timer !== undefined || accepted >= sendable()) return;
    timer = setTimeout(
      () => {
        timer = undefined;
        sending = send().finally(() => {
          sending = null;
          schedule();
        });
      },
      Math.max(0, nextMs - Date.now()),
    );
  }

  return {
    messageId,
    seq,
    get text() {
      return text;
    },
    get refusal() {
      return refusal;
    },
    append(more) {
      text += more;
      schedule();
    },
    async finish({ state = 'complete', ...end } = {}, options) {
      isOver = true;
      clearTimeout(timer);
      timer = undefined;
      await sending;
      const given = end.content ?? null;
      const params = { ...end, channelId, messageId, state, length: text.length };
      // If the send was a duplicate, an earlier process of this agent may have sent other text.
      if (given !== null || accepted < text.length || duplicate)
        return call('message.finish', { ...params, content: given ?? text }, options);
      try {
        return await call('message.finish', params, options);
      } catch (error) {
        // If the hub has less text, it lost what it had not checkpointed.
        if (conflictOf(error).length >= text.length) throw error;
        return call('message.finish', { ...params, content: text }, options);
      }
    },
  };
}

function conflictOf(error: unknown): { readonly length: number; readonly state: string | null } {
  const none = { length: Infinity, state: null };
  if (!(error instanceof HubError) || error.code !== 'conflict') return none;
  const { length, state } = error.data;
  return length === undefined ? none : { length, state: state ?? null };
}
