/** Collects what one turn of the event loop sends, so that it travels as few frames as the hub's limits allow. */
export interface Outbox {
  push(body: string): void;
  /** What the hub of this connection takes. */
  setLimits(limits: { readonly frameBytes: number; readonly batch: number }): void;
  /** Forgets what was not written yet: its connection is gone. */
  clear(): void;
}

// A UTF-16 code unit is at most three bytes of UTF-8: an upper bound that costs no walk through the text.
const maxBytesPerChar = 3;

/** `write` gets a frame's text: one JSON-RPC object, or an array of them. */
export function createOutbox(write: (text: string) => void): Outbox {
  let bodies: string[] = [];
  let chars = 0;
  let isScheduled = false;
  let limits = { frameBytes: 0, batch: 1 };

  function flush() {
    isScheduled = false;
    if (bodies.length === 1) write(bodies[0] as string);
    else if (bodies.length > 1) write(`[${bodies.join(',')}]`);
    bodies = [];
    chars = 0;
  }

  return {
    push(body) {
      const isFull =
        bodies.length === limits.batch ||
        (chars + body.length + bodies.length + 2) * maxBytesPerChar > limits.frameBytes;
      if (isFull) flush();
      bodies.push(body);
      chars += body.length;
      if (isScheduled) return;
      isScheduled = true;
      queueMicrotask(flush);
    },
    setLimits(next) {
      limits = next;
    },
    clear() {
      bodies = [];
      chars = 0;
    },
  };
}
