import { randomFillSync } from 'node:crypto';

const pool = Buffer.allocUnsafe(10 * 512);
let used = pool.length;

/** A UUID of version 7, so that an index on ids grows at its end. Random bytes are drawn for 512 ids at once. */
export function newId(nowMs: number): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  pool[used + 2] = ((pool[used + 2] ?? 0) & 0x3f) | 0x80;
  const random = pool.toString('hex', used, used + 10);
  used += 10;
  return `${idsFrom(nowMs)}-7${random.slice(0, 3)}-${random.slice(4, 8)}-${random.slice(8)}`;
}

/** The prefix of all ids of this time. Earlier ids sort before it. */
export function idsFrom(timeMs: number): string {
  const time = Math.max(0, timeMs).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}`;
}
