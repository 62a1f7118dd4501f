import { describe, expect, it, jest } from '@jest/globals';
import { measureMessages, measureSockets, measureStorage } from './measure.ts';
import { formatRows, holds, loadRows, socketRows, storageRows, type Row } from './report.ts';

jest.setTimeout(180_000);

// Processor times depend on the machine, so only sizes and counts are exact.
const isExact = ({ unit }: Row) => unit !== 'µs';

const expectAll = (rows: readonly Row[]) => {
  const counted = rows.filter(isExact);
  expect(counted.length).toBeGreaterThan(0);
  expect(counted.every(holds) ? '' : formatRows(counted)).toBe('');
};

describe('the cost model against small real runs', () => {
  it('knows the bytes of a message in SQLite and PostgreSQL', async () => {
    expectAll(storageRows(await measureStorage({ messages: 600, sockets: 0, idleMs: 0 })));
  });

  it('knows the commands and the output of Redis for a message', async () => {
    const measured = await measureMessages({ messages: 600, sockets: 0, idleMs: 3_000 });
    // The rates of other loads depend on this machine.
    expectAll(loadRows(measured.filter(({ load }) => load === 'even')));
  });

  it('knows the memory and the commands of a silent agent', async () => {
    const effort = { messages: 0, sockets: 400, idleMs: 10_000 };
    expectAll(socketRows(await measureSockets(effort), effort.sockets));
  });
});
