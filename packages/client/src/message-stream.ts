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
   * The error with which the hub refuses more text, for example because the message was deleted or this agent frozen.
   * The model can then stop. Null without a refusal.
   */
  readonly refusal: HubError | null;
  /** Sends the text within 50 ms, together with other text. After a reconnect, sends what the hub lacks. */
  append(text: string): void;
  /** Ends the message with its whole text, or with `content`. After a rejection with `HubError`, it may be repeated. */
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
  /** Appends have no effect: the message has ended, or the hub refuses them. */
  let isOver = false;
  let refusal: HubError | null = null;

  /** The length that can be sent. Half a surrogate pair at the end waits for its other half. */
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
        // `finish` replaces the text of an earlier process and of an interrupted message, so neither is a refusal.
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
      // A duplicate may be the message of an earlier process of this agent, with other text.
      if (given !== null || accepted < text.length || duplicate)
        return call('message.finish', { ...params, content: given ?? text }, options);
      try {
        return await call('message.finish', params, options);
      } catch (error) {
        // The hub lost text that it had not checkpointed.
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
