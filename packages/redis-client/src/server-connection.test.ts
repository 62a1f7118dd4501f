import { Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { createJoinedWrites } from './server-connection.ts';

function createBench() {
  const writes: number[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write(_chunk, _encoding, done) {
      writes.push(1);
      done();
    },
    writev(chunks, done) {
      writes.push(chunks.length);
      done();
    },
  });
  const joinWrites = createJoinedWrites({ stream } as unknown as Redis);
  const send = (count: number) => {
    for (let command = 0; command < count; command += 1) {
      joinWrites();
      stream.write('PING');
    }
  };
  return { writes, stream, send };
}
const endOfTurn = () => new Promise((resolve) => setImmediate(resolve));

describe('the commands of one turn of the event loop', () => {
  it('are joined into writes of at most eight, also those of its promises', async () => {
    const { writes, stream, send } = createBench();
    send(11);
    expect(writes).toEqual([8]);
    await endOfTurn();
    expect(writes).toEqual([8, 3]);
    await Promise.all([1, 2, 3].map(() => Promise.resolve().then(() => send(1))));
    await endOfTurn();
    send(1);
    await endOfTurn();
    expect(writes).toEqual([8, 3, 3, 1]);
    expect(stream.writableCorked).toBe(0);
  });

  it('stay in the one write of a batch', async () => {
    const { writes, stream, send } = createBench();
    stream.cork();
    send(20);
    stream.uncork();
    await endOfTurn();
    expect(writes).toEqual([20]);
    expect(stream.writableCorked).toBe(0);
  });

  it('are left alone before the first attempt to connect', () => {
    expect(() => createJoinedWrites({} as Redis)()).not.toThrow();
  });
});
