import { clientFrame, opcodes } from '@openclaw/test-support';
import { limits } from '@openclaw/protocol';

export interface FramingCase {
  readonly name: string;
  readonly bytes: () => Uint8Array;
  /** The expected close code, or `answered` if the hub must answer the ping in `bytes` and keep the socket open. */
  readonly expected: number | 'answered';
}

const ping = '{"jsonrpc":"2.0","id":"x","method":"ping"}';
const closeFrame = (payload: Uint8Array) => clientFrame(payload, { opcode: opcodes.close });
const twoBytes = (code: number) => Buffer.from([code >> 8, code & 0xff]);
const part = (payload: string | Uint8Array, isFinal = false) =>
  clientFrame(payload, { opcode: opcodes.continuation, isFinal });

/** Codes from 4000 on are the hub's own, the others are RFC 6455's. */
export const framingCases: readonly FramingCase[] = [
  {
    name: 'an unmasked frame',
    bytes: () => clientFrame(ping, { isMasked: false }),
    expected: 1002,
  },
  ...[1, 2, 4, 7].map((reserved) => ({
    name: `the reserved bits ${reserved} (a compressed frame, where nothing was negotiated)`,
    bytes: () => clientFrame(ping, { reserved }),
    expected: 1002,
  })),
  ...[0x3, 0x7, 0xb, 0xf].map((opcode) => ({
    name: `the reserved opcode ${opcode}`,
    bytes: () => clientFrame(ping, { opcode }),
    expected: 1002,
  })),
  { name: 'a continuation of nothing', bytes: () => part(ping, true), expected: 1002 },
  {
    name: 'a message begun inside another',
    bytes: () => Buffer.concat([clientFrame('{', { isFinal: false }), clientFrame(ping)]),
    expected: 1002,
  },
  {
    name: 'a control frame of 126 bytes',
    bytes: () => clientFrame('x'.repeat(126), { opcode: opcodes.ping }),
    expected: 1002,
  },
  {
    name: 'a control frame in fragments',
    bytes: () => clientFrame('x', { opcode: opcodes.ping, isFinal: false }),
    expected: 1002,
  },
  {
    name: 'a close frame of one byte',
    bytes: () => closeFrame(Buffer.from([3])),
    expected: 1002,
  },
  ...[0, 999, 1004, 1005, 1006, 1015, 2999, 65_535].map((code) => ({
    name: `a close frame with the code ${code}, which must not be sent`,
    bytes: () => closeFrame(twoBytes(code)),
    expected: 1002,
  })),
  {
    name: 'a close frame whose reason is not UTF-8',
    bytes: () => closeFrame(Buffer.from([0x03, 0xe8, 0xff, 0xfe])),
    expected: 1007,
  },
  {
    name: 'text that is not UTF-8',
    bytes: () => clientFrame(Buffer.from([0x22, 0xc3, 0x28, 0x22])),
    expected: 1007,
  },
  ...[
    ['an overlong slash', [0xc0, 0xaf]],
    ['half a surrogate pair', [0xed, 0xa0, 0x80]],
    ['a code point beyond the last one', [0xf4, 0x90, 0x80, 0x80]],
    ['a truncated character', [0xe2, 0x82]],
  ].map(([name, bytes]) => ({
    name: `UTF-8 with ${name as string}`,
    bytes: () => clientFrame(Buffer.from([0x22, ...(bytes as number[]), 0x22])),
    expected: 1007,
  })),
  {
    name: 'a frame whose header claims one byte too many',
    bytes: () => clientFrame('', { declaredLength: limits.frameBytes + 1 }),
    expected: 4413,
  },
  {
    name: 'a frame whose header claims 2^53 bytes',
    bytes: () => clientFrame('', { declaredLength: 2n ** 53n }),
    expected: 4413,
  },
  {
    name: 'a frame whose length has its highest bit set',
    bytes: () => clientFrame('', { declaredLength: 2n ** 63n }),
    expected: 4413,
  },
  {
    name: 'fragments that are too large together',
    bytes: () =>
      Buffer.concat([
        clientFrame('x'.repeat(limits.frameBytes - 10), { isFinal: false }),
        part('x'.repeat(11), true),
      ]),
    expected: 4413,
  },
  {
    name: 'a message in 20,000 fragments',
    bytes: () =>
      Buffer.concat([
        clientFrame('[', { isFinal: false }),
        ...Array.from({ length: 20_000 }, () => part(' ')),
      ]),
    expected: 4429,
  },
  {
    name: 'a call in fragments, a control frame and empty ones between them',
    bytes: () =>
      Buffer.concat([
        clientFrame(ping.slice(0, 5), { isFinal: false }),
        clientFrame('hello', { opcode: opcodes.ping }),
        part(''),
        part(ping.slice(5)),
        part('', true),
      ]),
    expected: 'answered',
  },
  {
    name: 'a fragment that ends inside a character',
    bytes: () => {
      const text = Buffer.from(
        '{"jsonrpc":"2.0","id":"x","method":"ping","params":{}}😀'.slice(0, -2),
      );
      return Buffer.concat([
        clientFrame(text.subarray(0, 20), { isFinal: false }),
        part(text.subarray(20), true),
      ]);
    },
    expected: 'answered',
  },
  {
    name: 'an unsolicited pong',
    bytes: () => Buffer.concat([clientFrame('x', { opcode: opcodes.pong }), clientFrame(ping)]),
    expected: 'answered',
  },
];
