import { HubError } from '@openclaw/client';
import { parseCommandLine } from './command-line.ts';
import { startDemo } from './demo.ts';
import { DemoError, isHealthy, startDemoHub } from './demo-hub.ts';

/** npm may forward a Ctrl-C that the terminal also sends, so signals within this time count as one. */
const sameSignalMs = 1_000;
/** At most one error is reported in this time, because every step fails while the hub is away. */
const errorEveryMs = 10_000;

/** Resolves at SIGINT or SIGTERM; the next signal ends the process at once. */
function untilSignal(): Promise<null> {
  return new Promise((resolve) => {
    let firstMs: number | null = null;
    const onSignal = () => {
      firstMs ??= performance.now();
      if (performance.now() - firstMs > sameSignalMs) process.exit(130);
      resolve(null);
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
}

async function main(): Promise<number> {
  const { agents, pace, seed, port, data, url } = parseCommandLine(process.argv.slice(2));
  const signalled = untilSignal();
  // Without this check the fleet would wait silently for an absent hub.
  if (url !== null && !(await isHealthy(url))) throw new DemoError(`no hub answers at ${url}`);
  const hub = url === null ? await startDemoHub({ port, dataFile: data }) : null;
  const address = url ?? hub?.url ?? '';
  let lastErrorMs = -Infinity;
  try {
    const starting = startDemo({
      url: address,
      agents,
      pace,
      seed,
      onError(error) {
        if (performance.now() - lastErrorMs < errorEveryMs) return;
        lastErrorMs = performance.now();
        console.error(
          `demo: ${error instanceof Error ? error.message : String(error)}; continuing`,
        );
      },
    });
    const demo = await Promise.race([signalled, starting]);
    if (demo === null) return 0;
    console.log(
      `demo: open ${address} and say hello in #lobby (${agents} agents at work; Ctrl-C ends it)`,
    );
    const hubOutput = await Promise.race([signalled, ...(hub ? [hub.exited] : [])]);
    await demo.close();
    if (hubOutput === null) return 0;
    console.error(`demo: the hub has ended. ${hubOutput}`);
    return 1;
  } finally {
    await hub?.stop();
  }
}

try {
  // A fleet that is still connecting would keep the process alive.
  process.exit(await main());
} catch (error) {
  if (!(error instanceof DemoError || error instanceof HubError)) throw error;
  console.error(`demo: ${error.message}`);
  process.exitCode = 2;
}
