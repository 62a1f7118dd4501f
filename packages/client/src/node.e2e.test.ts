import { createBench } from './bench.test.support.ts';
import { clientContract } from './client.contract.ts';

clientContract('in Node', async () => {
  const bench = createBench();
  return {
    origin: null,
    hostname: '127.0.0.1',
    run: async (script, given) => script(bench, given),
    stop: () => bench.clear(),
  };
});
