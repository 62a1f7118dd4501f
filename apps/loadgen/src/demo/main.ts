import { HubError } from '@openclaw/client';
import { LoadgenError } from '../errors.ts';
import { startDemoFleet } from './demo-fleet.ts';
import { startDemoHub } from './demo-hub.ts';
import { parseDemoOptions } from './demo-options.ts';

/** One Ctrl-C may come twice: from the terminal, and passed on by what started this. */
const sameSignalMs = 1_000;
/** Troubles that are told in a row; a hub that is away would else fill the screen. */
const troubleEveryMs = 10_000;

/** Resolves when somebody wants this to end; who asks again gets it at once. */
function askedToEnd(): Promise<null> {
  return new Promise((resolve) => {
    let askedMs: number | null = null;
    const ask = () => {
      askedMs ??= performance.now();
      if (performance.now() - askedMs > sameSignalMs) process.exit(130);
      resolve(null);
    };
    process.on('SIGINT', ask);
    process.on('SIGTERM', ask);
  });
}

async function main(): Promise<number> {
  const { agents, pace, seed, port, data, url } = parseDemoOptions(process.argv.slice(2));
  const asked = askedToEnd();
  const hub = url === null ? await startDemoHub({ port, dataFile: data }) : null;
  const address = url ?? hub?.url ?? '';
  let toldMs = -Infinity;
  try {
    const fleet = await startDemoFleet({
      ...{ url: address, agents, pace, seed },
      onTrouble(error) {
        if (performance.now() - toldMs < troubleEveryMs) return;
        toldMs = performance.now();
        console.error(`demo: ${error instanceof Error ? error.message : String(error)}; going on`);
      },
    });
    console.log(
      `demo: open ${address} and say hello in #lobby (${agents} agents at work; Ctrl-C ends it)`,
    );
    const lastWords = await Promise.race([asked, ...(hub ? [hub.ended] : [])]);
    await fleet.close();
    if (lastWords === null) return 0;
    console.error(`demo: the hub has ended. ${lastWords}`);
    return 1;
  } finally {
    await hub?.stop();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof LoadgenError || error instanceof HubError)) throw error;
  console.error(`demo: ${error.message}`);
  process.exitCode = 2;
}
