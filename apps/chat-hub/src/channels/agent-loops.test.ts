import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { createAgentLoops } from './agent-loops.ts';

const log = pino({ level: 'silent' });
const most = { limit: 3, windowMs: 60_000 };
const startMs = 1_795_766_400_000;

describe('the messages by which one agent addresses another', () => {
  it('pause the pair when the limit is reached, until the window of the first one ends', () => {
    const loops = createAgentLoops(most, log);
    for (const atMs of [0, 10, 20]) {
      expect(loops.paused.get('ana')).toBeUndefined();
      loops.committed('ana', ['ben'], startMs + atMs);
    }
    const untilMs = startMs + most.windowMs;
    expect(loops.paused.get('ana')).toEqual([{ agentId: 'ben', sinceMs: startMs, untilMs }]);
    loops.committed('ben', ['ana', 'cyd'], startMs);
    expect(loops.paused.get('ben')).toBeUndefined();
  });

  it('begin a window of their own once the last one is over', () => {
    const loops = createAgentLoops(most, log);
    for (const atMs of [0, 10, 60_000, 60_010]) loops.committed('ana', ['ben'], startMs + atMs);
    expect(loops.paused.get('ana')).toBeUndefined();
    loops.committed('ana', ['ben'], startMs + 60_020);
    expect(loops.paused.get('ana')).toMatchObject([{ sinceMs: startMs + 60_000 }]);
  });

  it('are counted from the first again when the store accepts one although the pair is paused', () => {
    const loops = createAgentLoops(most, log);
    for (const atMs of [0, 1, 2]) loops.committed('ana', ['ben', 'cyd'], startMs + atMs);
    expect(loops.paused.get('ana')).toHaveLength(2);
    loops.committed('ana', ['ben'], startMs + 100);
    expect(loops.paused.get('ana')).toMatchObject([{ agentId: 'cyd' }]);
    for (const atMs of [101, 102]) loops.committed('ana', ['ben'], startMs + atMs);
    expect(loops.paused.get('ana')).toMatchObject([
      { agentId: 'ben', sinceMs: startMs + 100 },
      { agentId: 'cyd' },
    ]);
  });

  // The fault: a mention at the end of a growing message was not counted, so two agents answered each other without a
  // pause.
  it('count at the ends of growing messages, which do not end the pause', () => {
    const loops = createAgentLoops(most, log);
    for (const atMs of [0, 10, 20]) loops.committed('ana', ['ben'], startMs + atMs, true);
    const untilMs = startMs + most.windowMs;
    const paused = [{ agentId: 'ben', sinceMs: startMs, untilMs, byStreams: true }];
    expect(loops.paused.get('ana')).toEqual(paused);
    // This message had begun before the pause, and ends now.
    loops.committed('ana', ['ben'], startMs + 30, true);
    expect(loops.paused.get('ana')).toEqual(paused);
  });

  it('are not counted without a limit', () => {
    const loops = createAgentLoops(null, log);
    for (let n = 0; n < 1_000; n += 1) loops.committed('ana', ['ben'], startMs);
    expect(loops.paused.get('ana')).toBeUndefined();
  });
});
