// `npm run export -- --channel ID [--after SEQ]` writes a channel's log to standard output, one event a line.
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { isId } from '@openclaw/protocol/wire';
import { CommandError, commandRecord, openCommandStore, progress, runCommand } from './command.ts';

const usage = 'usage: npm run export -- --channel ID [--after SEQ]';
const pageEvents = 500;
const pageBytes = 1_048_576;
const progressEveryMs = 1_000;

function parse(): { channelId: string; after: number } {
  try {
    const { values } = parseArgs({
      options: { channel: { type: 'string' }, after: { type: 'string', default: '0' } },
    });
    const after = Number(values.after);
    if (values.channel !== undefined && isId(values.channel) && /^\d{1,15}$/.test(values.after)) {
      return { channelId: values.channel, after };
    }
  } catch {
    // `parseArgs` throws on an unknown option. The usage error below reports this too.
  }
  throw new CommandError('usage', usage);
}

async function exportChannel(): Promise<void> {
  const { channelId, after } = parse();
  const store = await openCommandStore();
  try {
    const head = (await store.heads([channelId])).get(channelId);
    if (head === undefined) throw new CommandError('failed', `there is no channel ${channelId}`);
    let last = after;
    let count = 0;
    let saidAtMs = performance.now();
    // The export ends at the head that the log had at the start, so it ends even while others write.
    while (last < head) {
      const { events, floor } = await store.logPage(channelId, last, pageEvents, pageBytes);
      if (floor > last + 1) progress(`events ${last + 1} to ${floor - 1} were trimmed`);
      const page = events.filter(({ seq }) => seq !== null && seq <= head);
      // Each page is written before the next page is read, so only one page is in memory.
      const text = page.map(({ json }) => `${json}\n`).join('');
      if (text !== '' && !process.stdout.write(text)) await once(process.stdout, 'drain');
      count += page.length;
      const next = Math.max(page.at(-1)?.seq ?? last, floor - 1);
      if (next === last)
        throw new CommandError('failed', `the log ends at ${last}, before ${head}`);
      last = next;
      if (performance.now() - saidAtMs < progressEveryMs) continue;
      saidAtMs = performance.now();
      progress(`${count} events, up to seq ${last} of ${head}`);
    }
    await store.recordAudit([commandRecord('channel.export', channelId, { after, head })]);
    progress(`exported ${count} events of ${channelId}, up to seq ${Math.max(after, head)}`);
  } finally {
    await store.close();
  }
}

await runCommand('export', exportChannel);
