// `npm run erase -- --agent ID [--pseudonym NAME] [--yes]` redacts what an agent wrote, while hubs serve. Without
// --yes it only counts. The receipt is JSON on standard output.
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import {
  ChatStoreError,
  eraseStart,
  type ChatStore,
  type EraseCounts,
  type ErasePlace,
  type Erasure,
} from '@openclaw/chat-store';
import { isId } from '@openclaw/protocol/wire';
import {
  CommandError,
  commandRecord,
  commandUser,
  openCommandStore,
  progress,
  runCommand,
} from './command.ts';

const usage = 'usage: npm run erase -- --agent ID [--pseudonym NAME] [--dry-run | --yes]';
const progressEveryMs = 1_000;
/** A pause lasts this many times as long as the last batch, so that senders wait only briefly. */
const pauseFactor = 2;
const minPauseMs = 20;
const maxPauseMs = 1_000;
const patienceMs = 60_000;
const retryMs = 500;
const passing: ReadonlySet<string> = new Set(['unavailable', 'locked', 'timeout', 'unwritable']);

function parse(): Erasure {
  try {
    const { values } = parseArgs({
      options: {
        agent: { type: 'string' },
        pseudonym: { type: 'string' },
        yes: { type: 'boolean', default: false },
        'dry-run': { type: 'boolean', default: false },
      },
    });
    const { agent, pseudonym = null, yes } = values;
    const isSure = yes && !values['dry-run'];
    const areIds = agent !== undefined && isId(agent) && (pseudonym === null || isId(pseudonym));
    if (areIds && !(yes && values['dry-run']) && agent !== pseudonym) {
      return { agentId: agent, pseudonym, isDryRun: !isSure };
    }
  } catch {
    // `parseArgs` throws on an unknown option. The usage error below reports this too.
  }
  throw new CommandError('usage', usage);
}

async function eraseAll(store: ChatStore, erasure: Erasure): Promise<EraseCounts> {
  const total = { messages: 0, reactions: 0, log: 0, threads: 0, members: 0 };
  let place = eraseStart;
  let saidAtMs = performance.now();
  while (place.phase !== 'done') {
    const startMs = performance.now();
    const piece = await erasePiece(store, erasure, place);
    for (const table of Object.keys(total) as (keyof EraseCounts)[]) {
      total[table] += piece.counts[table];
    }
    ({ place } = piece);
    const isWaiting = place.phase === 'redact';
    const isChange = !erasure.isDryRun && Object.values(piece.counts).some((count) => count > 0);
    const pauseMs = Math.min(maxPauseMs, pauseFactor * (performance.now() - startMs));
    if (isChange || isWaiting) await delay(Math.max(minPauseMs, pauseMs));
    if (performance.now() - saidAtMs < progressEveryMs) continue;
    saidAtMs = performance.now();
    progress(`${place.phase}: channel ${place.channelId}, ${JSON.stringify(total)}`);
  }
  return total;
}

/**
 * Repeats the attempt while the database fails. A repeat is harmless. If the answer of a committed attempt was lost,
 * the rows of that attempt are not counted.
 */
async function erasePiece(store: ChatStore, erasure: Erasure, place: ErasePlace) {
  const endMs = performance.now() + patienceMs;
  for (;;) {
    try {
      return await store.eraseSome(erasure, place);
    } catch (error) {
      const isPassing = error instanceof ChatStoreError && passing.has(error.code);
      if (!isPassing || performance.now() >= endMs) throw error;
      progress(`${error.message}: trying again`);
      await delay(retryMs);
    }
  }
}

async function erase(): Promise<void> {
  const erasure = parse();
  const { agentId, pseudonym, isDryRun } = erasure;
  const store = await openCommandStore();
  try {
    if (pseudonym !== null && (await store.isKnownAgent(pseudonym))) {
      throw new CommandError('failed', `${pseudonym} is an agent: choose an id that is not in use`);
    }
    const startedAt = new Date().toISOString();
    const counts = await eraseAll(store, erasure);
    if (!isDryRun) {
      const details = { isRenamed: pseudonym !== null, ...counts };
      await store.recordAudit([commandRecord('agent.erase', pseudonym ?? agentId, details)]);
    }
    const receipt = {
      ...{ agentId, pseudonym, dryRun: isDryRun },
      ...{ startedAt, finishedAt: new Date().toISOString() },
      by: commandUser(),
      ...{ epoch: store.epoch, counts },
    };
    process.stdout.write(`${JSON.stringify(receipt, null, 2)}\n`);
    if (isDryRun) progress('nothing was changed: add --yes to erase');
  } finally {
    await store.close();
  }
}

await runCommand('erase', erase);
